"""Small physical models: water, heat, cold, electricity, people and weather (DOMAIN.md)."""
