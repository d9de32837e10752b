"""Builds compounds, which are cells of several devices, from one or two presets.

A new kind of cell is a new file in `kinds`.
"""
