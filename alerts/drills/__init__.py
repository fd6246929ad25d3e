"""Exercises as everyone but the database sees them: what was planned, what was written down, how it went, what is left."""
