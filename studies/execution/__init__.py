"""Runs a study in its output folder: search, schedule, write, report progress."""
