"""The chip around the devices: its description, and what events cost in it."""
