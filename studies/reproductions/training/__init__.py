"""How the update rules of other papers train a network."""
