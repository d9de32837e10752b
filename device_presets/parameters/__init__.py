"""The parameters of a device: names, units, ranges, and their physics."""
