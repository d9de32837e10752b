"""Starts workers on this machine or a cluster, each of which trains one trial at a time."""
