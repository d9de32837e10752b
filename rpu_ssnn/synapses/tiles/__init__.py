"""Weights in tiles of aihwkit."""
