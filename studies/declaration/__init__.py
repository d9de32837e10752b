"""Declares the study file, with cases, sweeps and seeds, and the trials that follow from it."""
