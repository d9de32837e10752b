"""Finished trials: stored rows, their columns, summaries and tables."""
