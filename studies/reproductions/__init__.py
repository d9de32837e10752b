"""Reproduces rules and figures of published papers, which the platform itself does not need.

`rules` has update rules of other papers, `training` has the code that trains by them, and `figures`
draws those figures of the paper behind this platform that are not sweeps of a study.
"""
