"""Devices: laws of what a pulse does, their parameters, and how a device lies in memory.

A law of one's own is a Python file that defines ``LAW = Law(...)``; docs/how-to/own_law.md shows
one.
"""

from rpu_ssnn.devices.law import Law
from rpu_ssnn.devices.law_parameter import LawParameter

__all__ = ["Law", "LawParameter"]
