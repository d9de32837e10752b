"""Device models and their fit: likelihood, search, choice, uncertainty."""
