"""Effects on native devices other than their pulses: leak, retention, disturb, lines, reads."""
