"""Figures of the paper that are no sweep of a study: each with the numbers behind it.

One file a figure: `numbers` makes a table, `draw` draws it. The figures that are sweeps (6 and 8)
are studies of their own (the records `paper_figure6` and `paper_figure8`), drawn by
`rpu-ssnn plot`.
"""
