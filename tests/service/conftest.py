"""A whole service: real broker, journal, rules, outbox, page; its provider is a local stand-in."""

from service_fixtures import bot, live_campus, running

__all__ = ["bot", "live_campus", "running"]
