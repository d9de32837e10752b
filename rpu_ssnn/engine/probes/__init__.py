"""Trains of a presentation for looking at; training stores none."""
