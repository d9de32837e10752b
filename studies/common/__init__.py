"""Provides what all of `studies` shares: choices of the user, signals, settings and statistics."""
