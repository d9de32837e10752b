"""Shows presets to people, as cards, lists and pictures."""
