"""Devices that are their measured statistics: CrossSim's lookup tables, read and made devices of."""
