"""Simulates devices directly from their measured statistics, the lookup tables of CrossSim."""
