"""Learning rules of others on the same neurons, data and encoding (Table 1 of the paper)."""
