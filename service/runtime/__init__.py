"""One running service: what is made, started and stopped in which order, and the workers between the rooms."""
