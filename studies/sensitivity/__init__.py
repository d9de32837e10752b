"""Questions about one device: attribution of its loss, and requirements on it."""
