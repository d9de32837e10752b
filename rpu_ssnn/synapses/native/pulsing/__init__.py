"""What pulses do to devices, one after the other, and trains of numbers (compiled)."""
