"""Cards, lists and pictures, which show people what a preset is."""
