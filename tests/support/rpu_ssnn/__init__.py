"""What tests of the package `rpu_ssnn` share, and others use."""
