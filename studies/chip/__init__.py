"""Describes the chip around the devices, and computes what events cost in it."""
