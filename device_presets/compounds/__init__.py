"""Compounds: cells of several devices, built from one or two presets."""
