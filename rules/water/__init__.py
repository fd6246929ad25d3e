"""Water: bursts, leaks at night and while closed, losses between meters, meters that say what cannot be (DOMAIN.md 1)."""
