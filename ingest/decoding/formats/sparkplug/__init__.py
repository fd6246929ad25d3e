"""Sparkplug B: births that say what everything is, and data that refers to them."""
