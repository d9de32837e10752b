"""Finished trials: where they are stored, and the tables made of them."""
