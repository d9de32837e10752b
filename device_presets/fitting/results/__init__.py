"""A fit reports numbers with intervals, a preset and a plot."""
