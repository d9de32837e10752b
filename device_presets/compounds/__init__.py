"""Builds compounds, which are cells of several devices, from one or two presets."""
