"""Runs a study in its output folder: search, schedule, write, report progress.

In the order of reading: `api` has the functions for scripts; `study_runs` runs the search and then
the trials, each of them in a `phase`; `plan` says beforehand what will run and for how long.
"""
