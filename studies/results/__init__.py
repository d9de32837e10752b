"""Stores the rows of finished trials, and makes summaries and tables of them."""
