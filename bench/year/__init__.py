"""A simulated school year in which everything goes wrong that does, and what the rules make of it."""
