"""Measurements of the algorithm itself: gradients, products of spike trains, every train."""
