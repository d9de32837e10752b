"""Worker processes: each trains one trial at a time, on this machine or a cluster."""
