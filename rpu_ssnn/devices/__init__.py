"""Devices: laws of what a pulse does, their parameters, and the layout of a device in memory.

A user-defined law is a Python file that defines ``LAW = Law(...)``; docs/how-to/own_law.md shows
one.
"""

from rpu_ssnn.devices.law import Law
from rpu_ssnn.devices.law_parameter import LawParameter

__all__ = ["Law", "LawParameter"]
