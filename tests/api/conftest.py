"""The whole service stands behind the API's tests, as it does behind its pages."""

from service_fixtures import bot, live_campus, running

__all__ = ["bot", "live_campus", "running"]
