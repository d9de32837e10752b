"""Contains the kinds of cells of several devices, one file a kind.

Each file has a mapping `CELLS` from names to cells; a new file needs no edit elsewhere.
"""
