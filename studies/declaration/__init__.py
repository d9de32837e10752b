"""What a study declares: cases, sweeps, seeds; and the trials it comes to."""
