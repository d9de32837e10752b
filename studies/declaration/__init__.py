"""The study file: cases, sweeps and seeds, and the trials that follow from them."""
