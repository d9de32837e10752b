"""Devices: laws of what a pulse does, their parameters, and how a device lies in memory."""
