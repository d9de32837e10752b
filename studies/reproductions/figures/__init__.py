"""Draws the figures 5 and 7 of the paper, with the numbers behind them.

Each figure has a file, in which `numbers` makes a table and `draw` draws it. Figures 6 and 8 are
the records `paper_figure6` and `paper_figure8`, drawn by `rpu-ssnn plot`.
"""
