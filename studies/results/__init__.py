"""Stores the rows of finished trials, and makes summaries and tables of them.

In the order of reading: `store` writes a file for each trial, in the `result_folder` of the study;
`tables` makes CSV files of them, whose columns `result_columns` declares; `grouping`, `comparison`
and `summary` compare cases; `ledger` and `chip_ledger` count costs; `caveats` and
`device_caveats` are warnings.
"""
