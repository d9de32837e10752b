"""Starts workers on this machine or a cluster, each of which trains one trial at a time.

In the order of reading: `executor` is the interface to workers, `local_executor` and
`cluster_executor` implement it, and `run_trial` is what a worker does.
"""
