"""What tests of the package `studies` share, and others use."""
