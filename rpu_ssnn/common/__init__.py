"""Errors, files, YAML and other tools that every package needs."""
