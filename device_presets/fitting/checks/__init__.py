"""Tells whether a fit describes the data."""
