"""The compiled pass over time: forward, gradient and pulses of a presentation, nothing stored."""
