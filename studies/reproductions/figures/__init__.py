"""Draws the figures of the paper that are not sweeps of a study, with the numbers behind them.

Each figure has a file, in which `numbers` makes a table and `draw` draws it. The figures that are
sweeps (6 and 8) are studies (the records `paper_figure6` and `paper_figure8`), drawn by
`rpu-ssnn plot`.
"""
