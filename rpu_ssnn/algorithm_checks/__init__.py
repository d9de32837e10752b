"""Measurements of the algorithm itself: products of spike trains, weight changes, every train."""
