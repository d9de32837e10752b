"""The command line, `rpu-ssnn`."""
