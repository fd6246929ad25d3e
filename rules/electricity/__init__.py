"""Electricity left on, beyond its limits, unlike its own past, or gone (DOMAIN.md 4)."""
