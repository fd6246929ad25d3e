"""Pipes in the cold: how long until 0 °C, ice, and the thaw (DOMAIN.md 2)."""
