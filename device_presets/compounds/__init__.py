"""Cells of several devices around a preset."""
