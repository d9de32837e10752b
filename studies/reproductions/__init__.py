"""Reproduces rules of published papers, which the platform itself does not need.

`rules` has update rules of other papers, and `training` has the code that trains by them.
"""
