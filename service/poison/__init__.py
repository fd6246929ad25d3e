"""What killed the service: marked while it is handled, set aside at the next start, tried again by itself."""
