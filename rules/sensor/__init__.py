"""The sensors themselves: silent, ill, badly linked, running out of battery."""
