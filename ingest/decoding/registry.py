"""All decoders, and the choice among them: the source's word first, then the topic, then the shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from campus.site import Site, Source
from ingest.decoding.aliyun_alink import AliyunAlink
from ingest.decoding.chirpstack_v4 import ChirpStackV4
from ingest.decoding.contract import Decoder, Hints
from ingest.decoding.generic import GenericJson
from ingest.decoding.shelly_gen2 import ShellyGen2
from ingest.decoding.tasmota import Tasmota
from ingest.decoding.topic import matches
from ingest.decoding.tts_v3 import TheThingsStackV3
from ingest.decoding.wmbusmeters import WMBusMeters
from ingest.decoding.zigbee2mqtt import Zigbee2Mqtt
from ingest.errors import Rejected, UnknownDecoder
from ingest.message import Decoded, Message


def decoders() -> dict[str, Decoder]:
    """Every decoder by name, in the order in which they are asked whether they recognise a message."""
    every: list[Decoder] = [
        Zigbee2Mqtt(),
        ChirpStackV4(),
        TheThingsStackV3(),
        AliyunAlink(),
        ShellyGen2(),
        Tasmota(),
        WMBusMeters(),
        GenericJson(),
    ]
    return {decoder.name: decoder for decoder in every}


class Registry:
    """The decoders of one site; a source of site.yaml fixes the decoder of its topics."""

    def __init__(self, site: Site | None = None) -> None:
        self._decoders = decoders()
        self._sources: list[tuple[Source, Decoder | None]] = []
        for source in site.sources if site is not None else ():
            self._sources.append((source, self._of(source, site)))

    def topics(self) -> list[str]:
        """What to subscribe to: the sources' filters, or every decoder's own where there are none."""
        if self._sources:
            return widest(source.topic for source, _ in self._sources)
        return widest(topic for decoder in self._decoders.values() for topic in decoder.topics)

    def choose(self, message: Message, *, name: str = "") -> Decoder:
        """The decoder for *message*; raises :class:`Rejected` when none recognises it."""
        if name:
            return self.named(name)
        for source, decoder in self._sources:
            if decoder is not None and matches(source.topic, message.topic):
                return decoder
        for decoder in self._decoders.values():
            if decoder.recognises(message):
                return decoder
        raise Rejected("unknown_format", f"no decoder recognises messages on {message.topic!r}")

    def named(self, name: str) -> Decoder:
        """The decoder of that name; raises :class:`UnknownDecoder`."""
        try:
            return self._decoders[name]
        except KeyError as error:
            raise UnknownDecoder(name, sorted(self._decoders)) from error

    def decode(self, message: Message, hints: Hints, *, name: str = "") -> tuple[str, Decoded]:
        """The decoder's name and what it read; the only error is :class:`Rejected`."""
        decoder = self.choose(message, name=name)
        try:
            return decoder.name, decoder.decode(message, hints)
        except Rejected:
            raise
        except (
            ValueError,
            TypeError,
            KeyError,
            IndexError,
            OverflowError,
            RecursionError,
            AttributeError,
        ) as error:
            # A shape its author did not foresee: one message is lost to quarantine, and can be replayed later.
            raise Rejected("decoder_fault", f"{decoder.name}: {type(error).__name__}: {error}") from error

    def _of(self, source: Source, site: Site | None) -> Decoder | None:
        if source.decoder == "auto":
            return None
        if source.decoder == GenericJson.name and site is not None:
            return GenericJson(site.mappings.get(source.mapping))
        return self.named(source.decoder)


def widest(filters: Iterable[str]) -> list[str]:
    """*filters* without those another one covers: a broker may deliver once for each that matches."""
    every = sorted(set(filters))
    return [one for one in every if not any(other != one and matches(other, one) for other in every)]


def decoder_names() -> Sequence[str]:
    """The names a register or site.yaml may use."""
    return tuple(sorted(decoders()))
