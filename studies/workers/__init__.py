"""Worker processes, each of which trains one trial at a time, on this machine or a cluster."""
