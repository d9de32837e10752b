"""Checks whether a fit describes the data."""
