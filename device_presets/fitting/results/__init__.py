"""Turns a fit into a report of numbers with intervals, a preset and a plot."""
