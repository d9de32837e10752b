"""Devices that are their measured statistics: the lookup tables of CrossSim."""
