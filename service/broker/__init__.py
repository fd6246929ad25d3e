"""Brokers: the one we run ourselves, with its accounts and its folder, and the connections to others."""
