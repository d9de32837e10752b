"""What acts on native devices beside their pulses: leak, retention, disturb, lines, reads."""
