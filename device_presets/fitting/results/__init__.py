"""What a fit says: numbers with intervals, preset, plot."""
