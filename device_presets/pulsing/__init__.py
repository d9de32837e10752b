"""Sends single pulses to simulated devices, as an experiment would."""
