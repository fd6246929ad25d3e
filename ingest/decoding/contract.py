"""What every decoder is: a pure function of topic, payload and a few hints."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import ClassVar, Protocol

import msgspec

from campus.clock import SHANGHAI
from campus.device import Device
from ingest.decoding.formats.sparkplug.births import Births
from ingest.message import Decoded, Message


def _unregistered(_: str) -> Device | None:
    return None


class Hints(msgspec.Struct, frozen=True):
    """What a decoder may know beside the message: the zone of local times, the register by address, and what
    Sparkplug's births said, the only memory a decoder has.
    """

    zone: zoneinfo.ZoneInfo = SHANGHAI
    device_at: Callable[[str], Device | None] = _unregistered
    births: Births = msgspec.field(default_factory=Births)


class Decoder(Protocol):
    """One format. The only exception decoding may raise is :class:`ingest.errors.Rejected`.

    Decoding is pure, but for what the :class:`~ingest.decoding.reading.descriptions.Descriptions` handed to a decoder remember.
    """

    #: the name used in the register and in site.yaml
    name: ClassVar[str]
    #: MQTT topic filters this format is published under by default
    topics: ClassVar[tuple[str, ...]]

    def recognises(self, message: Message) -> bool:
        """Whether topic and payload look like this format, for choosing among decoders."""
        ...

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """What *message* says of each device it speaks of.

        Values carry the source's unit; times are epoch ms, None where the source gives none that can be used. A message that is
        understood and holds no readings comes back as ``ignored`` with the reason.

        Raises :class:`ingest.errors.Rejected`, and the message is held in quarantine: where it names no device (``no_device``), where
        its document cannot be read (:mod:`ingest.decoding.wire.document`), and for the reasons a format adds and names.
        """
        ...
