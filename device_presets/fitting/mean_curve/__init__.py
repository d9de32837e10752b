"""Least squares of the noise-free curve to the mean curve, ours and aihwkit's, and errors."""
