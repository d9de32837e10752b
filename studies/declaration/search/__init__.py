"""What a search of hyperparameters tries, and what it found; `studies.execution` runs it."""
