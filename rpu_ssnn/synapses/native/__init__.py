"""The native simulator: seeded devices, with the same interface as aihwkit's tiles."""
