"""What tests of the package `device_presets` share, and others use."""
