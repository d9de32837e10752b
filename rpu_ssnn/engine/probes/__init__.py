"""Recorded trains of presentations, for figures and tests; training stores none."""
