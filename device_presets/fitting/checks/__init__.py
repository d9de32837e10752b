"""Whether a fit describes the data."""
