"""Measurements of the algorithm itself: gradients and products of spike trains."""
