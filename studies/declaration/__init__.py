"""Declares the study file, with cases, sweeps and seeds, and the trials that follow from it.

In the order of reading: `study` is the file; `cases`, `devices` and `update_rules` are what it
compares; `points` merges settings over the sweep; `trial` is one training run. `search` and
`hyperparameters` give what a case leaves open. `shipped` finds a study, and `new_study` writes one.
A YAML file in `studies/shipped` is a shipped study, and a module in `update_rules` is a rule.
"""
