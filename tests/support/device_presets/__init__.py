"""Helpers for tests of the package `device_presets`, some of which other tests use too."""
