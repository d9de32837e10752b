"""The version of the package, and of the numbers it computes."""

VERSION = "0.1.0"

NUMERICS_VERSION = 1
"""This number is raised by hand when equal settings and seeds give other results than before."""
