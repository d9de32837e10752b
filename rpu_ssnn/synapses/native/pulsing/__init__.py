"""What pulses do to devices, one after the other: the compiled innermost part of the simulator."""
