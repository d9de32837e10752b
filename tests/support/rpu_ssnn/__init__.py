"""Helpers for tests of the package `rpu_ssnn`, some of which other tests use too."""
