"""The cold chain: fridges, freezers and sample cabinets (DOMAIN.md 3)."""
