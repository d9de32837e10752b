"""Pulses on simulated devices, one at a time, as an experiment would send them."""
