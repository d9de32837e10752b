"""Fits device models: likelihood, search, choice and uncertainty."""
