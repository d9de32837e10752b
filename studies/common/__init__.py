"""Shared parts of `studies`: choices of the command line, signals, settings and statistics."""
