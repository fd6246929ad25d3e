"""A service at its own broker."""

from service_fixtures import runtime

__all__ = ["runtime"]
