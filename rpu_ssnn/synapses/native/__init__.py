"""Devices that this package simulates itself, behind the same seam as aihwkit's tiles."""
