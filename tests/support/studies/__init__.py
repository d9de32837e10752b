"""Helpers for tests of the package `studies`, some of which other tests use too."""
