"""Describes the chip around the devices, and computes what events cost in it.

A YAML file in `studies/shipped/chips`, in the form that `description` declares, is a shipped chip.
"""
