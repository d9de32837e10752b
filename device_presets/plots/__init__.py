"""Pulse responses and comparisons as figures."""
