"""Trains one trial in a worker process, on this machine or a cluster."""
