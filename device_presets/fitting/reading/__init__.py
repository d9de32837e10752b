"""Reads a measured file as pulses and the conductances after them."""
