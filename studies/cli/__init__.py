"""Provides the command line, `rpu-ssnn`."""
