"""The whole service, where a test needs it."""

from service_fixtures import bot, live_campus

__all__ = ["bot", "live_campus"]
