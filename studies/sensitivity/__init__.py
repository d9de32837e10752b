"""Asks how sensitive training is to one device: `attribute`, `decompose` and `require`."""
