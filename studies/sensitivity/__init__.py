"""Sensitivity of one device: `attribute`, `decompose` and `require`."""
