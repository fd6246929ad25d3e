"""A fact as people read it: the line that shows a number a verdict stands on, and what becomes of it at the end."""

from __future__ import annotations

import enum

import msgspec


class Ending(enum.Enum):
    """What becomes of a fact's line once the alert is over."""

    #: told as of the time of the alert
    DATED = enum.auto()
    #: told as it is: an extreme, sum or limit of the whole time
    KEPT = enum.auto()
    #: left out: it foresaw what would come, or the recovery's own reading takes its place
    DROPPED = enum.auto()


class Fact(msgspec.Struct, frozen=True):
    """A number or short text of a verdict, and its line.

    *key* is its name in the evidence, with the unit (``flow_m3h``); *line* is a marked text with ``{value}``, which
    says the unit, too.
    """

    key: str
    line: str
    ending: Ending = Ending.DATED
