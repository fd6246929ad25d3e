"""All decoders, and the choice among them: the source's word first, then the device's, the topic, the shape."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from campus.modbus import ModbusMapping
from campus.site import GenericMapping, Site, Source
from ingest.decoding.contract import Decoder, Hints
from ingest.decoding.formats.clouds.aliyun_alink import AliyunAlink
from ingest.decoding.formats.clouds.huawei_iotda import HuaweiIotDA
from ingest.decoding.formats.clouds.jetlinks import JetLinks
from ingest.decoding.formats.clouds.onenet_onejson import OneNet
from ingest.decoding.formats.clouds.tencent_iot import TencentIot
from ingest.decoding.formats.clouds.thingsboard_json import ThingsBoard
from ingest.decoding.formats.clouds.tuya_tylink import TuyaLink
from ingest.decoding.formats.described.esphome import EspHome
from ingest.decoding.formats.described.generic import GenericJson
from ingest.decoding.formats.described.ha_discovery import HomeAssistantDiscovery
from ingest.decoding.formats.described.homie import Homie
from ingest.decoding.formats.described.raw_modbus import RawModbus
from ingest.decoding.formats.home.aiontheedge import AiOnTheEdge
from ingest.decoding.formats.home.shelly_gen1 import ShellyGen1
from ingest.decoding.formats.home.shelly_gen2 import ShellyGen2
from ingest.decoding.formats.home.theengs import TheengsOmg
from ingest.decoding.formats.home.zigbee2mqtt import Zigbee2Mqtt
from ingest.decoding.formats.industry.acrel import Acrel
from ingest.decoding.formats.industry.chndas_array import ChnDasArray
from ingest.decoding.formats.industry.edgelogger import EdgeLogger
from ingest.decoding.formats.industry.neuron import Neuron
from ingest.decoding.formats.lorawan_servers.chirpstack_v3 import ChirpStackV3
from ingest.decoding.formats.lorawan_servers.chirpstack_v4 import ChirpStackV4
from ingest.decoding.formats.lorawan_servers.loriot import Loriot
from ingest.decoding.formats.lorawan_servers.milesight_gateway import MilesightGateway
from ingest.decoding.formats.lorawan_servers.thingpark import ThingPark
from ingest.decoding.formats.lorawan_servers.tts_v3 import TheThingsStackV3
from ingest.decoding.formats.radio.rtl_433 import Rtl433
from ingest.decoding.formats.radio.rtlamr import RtlAmr
from ingest.decoding.formats.radio.rtlamr2mqtt import RtlAmr2Mqtt
from ingest.decoding.formats.radio.wmbusmeters import WMBusMeters
from ingest.decoding.formats.sparkplug.decoder import SparkplugB
from ingest.decoding.formats.tasmota.messages import Tasmota
from ingest.decoding.reading.descriptions import Descriptions
from ingest.decoding.selftest import SelfTestNumber
from ingest.decoding.wire.sibling import sibling
from ingest.decoding.wire.topic import matches, segments
from ingest.errors import Rejected, UnknownDecoder
from ingest.message import Decoded, Message

#: more values than any honest message holds; a flood must not fill the journal
MOST_VALUES = 5_000
#: what fits into fewer holds no such number: a value takes a bit at least
_FEWEST_BYTES = MOST_VALUES // 8
#: topics whose decoder is remembered
MOST_TOPICS = 50_000


class _Known(NamedTuple):
    """What read the last message of a topic: asked first for the next one, and alone where somebody *fixed* it."""

    decoder: Decoder
    fixed: bool


def decoders(descriptions: Descriptions | None = None) -> dict[str, Decoder]:
    """Every decoder by name, in the order in which they are asked whether they recognise a message.

    Those that read values by what other topics say of them share *descriptions*.
    """
    told = Descriptions() if descriptions is None else descriptions
    every: list[Decoder] = [
        Zigbee2Mqtt(),
        ChirpStackV4(),
        ChirpStackV3(),
        TheThingsStackV3(),
        ThingPark(),
        Loriot(),
        MilesightGateway(),
        AliyunAlink(),
        HuaweiIotDA(),
        OneNet(),
        TencentIot(),
        TuyaLink(),
        ThingsBoard(),
        ShellyGen2(),
        Tasmota(),
        ShellyGen1(),
        WMBusMeters(),
        Acrel(),
        Neuron(),
        JetLinks(),
        EdgeLogger(),
        ChnDasArray(),
        SparkplugB(),
        TheengsOmg(),
        Rtl433(),
        RtlAmr(),
        RtlAmr2Mqtt(told),
        AiOnTheEdge(),
        Homie(told),
        EspHome(told),
        HomeAssistantDiscovery(told),
        GenericJson(),
        RawModbus(),
    ]
    return {decoder.name: decoder for decoder in every}


class Registry:
    """The decoders of one site; a source of site.yaml fixes the decoder of its topics.

    *descriptions* is what they remember of retained descriptions; handed in, it outlives a reload of the register.
    """

    def __init__(self, site: Site | None = None, descriptions: Descriptions | None = None) -> None:
        self._decoders = decoders(descriptions)
        self._known: dict[str, _Known] = {}
        self._selftest = SelfTestNumber()
        brokers = site.all_brokers if site is not None else {}
        self._embedded = next((name for name, one in brokers.items() if one.embedded), None)
        self._sources: list[tuple[Source, Decoder | None]] = []
        for source in site.sources if site is not None else ():
            self._sources.append((source, self._of(source, site)))

    def topics(self, broker: str = "") -> list[str]:
        """What to subscribe to at *broker*: everything at the one we run ourselves, so that no device goes unnoticed.

        At another's, where much may be none of our business, the sources' filters where there are any, else every decoder's.
        """
        sources = {source.topic for source, _ in self._sources if source.broker in {"", broker}}
        known = {topic for decoder in self._decoders.values() for topic in decoder.topics}
        if self._embedded == broker:  # # does not cover what begins with a dollar sign (MQTT 5, 4.7.2)
            return widest({"#", *(topic for topic in known | sources if topic.startswith("$"))})
        return widest(sources if self._sources else known)

    def choose(self, message: Message, hints: Hints | None = None, *, name: str = "") -> Decoder:
        """The decoder for *message*; raises :class:`Rejected` when none recognises it."""
        given = self._given(message, name)
        if given is not None:
            return given
        able = [decoder for decoder in self._decoders.values() if decoder.recognises(message)]
        registered = self._registered(message.topic, hints) if len(able) != 1 and hints is not None else None
        if registered is not None and (registered in able or not able):
            return registered
        by_topic = (one for one in able if any(matches(topic, message.topic) for topic in one.topics))
        found = next(by_topic, able[0] if able else None)
        if found is None:
            raise Rejected("unknown_format", f"no decoder recognises messages on {message.topic!r}")
        return found

    def named(self, name: str) -> Decoder:
        """The decoder of that name; raises :class:`UnknownDecoder`."""
        try:
            return self._decoders[name]
        except KeyError as error:
            raise UnknownDecoder(name, sorted(self._decoders)) from error

    def decode(self, message: Message, hints: Hints, *, name: str = "") -> tuple[str, Decoded]:
        """The decoder's name and what it read; the only error of a message is :class:`Rejected`."""
        known = self._known.get(message.topic)
        if known is None or name or not (known.fixed or known.decoder.recognises(message)):
            fixed = self._given(message, name)
            if fixed is None and (why := sibling(message.topic)):
                return "", Decoded(ignored=why)
            known = _Known(fixed or self.choose(message, hints), fixed is not None)
            if not name:
                self._remember(message.topic, known)
        decoder = known.decoder
        try:
            decoded = decoder.decode(message, hints)
        except Rejected:
            raise
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
            struct.error,
        ) as error:
            # A shape its author did not foresee: one message is lost to quarantine, and can be replayed later.
            raise Rejected("decoder_fault", f"{decoder.name}: {type(error).__name__}: {error}") from error
        if len(message.payload) > _FEWEST_BYTES:
            count = sum(len(report.values) for report in decoded.reports)
            if count > MOST_VALUES:
                raise Rejected(
                    "too_many_values", f"{count} values; expected at most {MOST_VALUES} in a message"
                )
        return decoder.name, decoded

    def _remember(self, topic: str, known: _Known) -> None:
        if len(self._known) >= MOST_TOPICS:
            self._known.clear()
        self._known[topic] = known

    def _given(self, message: Message, name: str) -> Decoder | None:
        """The decoder somebody fixed for this topic, if anybody did."""
        if name:
            return self.named(name)
        if self._selftest.recognises(message):
            return self._selftest
        for source, decoder in self._sources:
            if decoder is not None and matches(source.topic, message.topic):
                return decoder
        return None

    def _registered(self, topic: str, hints: Hints | None) -> Decoder | None:
        """The decoder the register gives the device that the topic, or one segment of it, addresses."""
        if hints is None:
            return None
        parts = segments(topic)
        for address in (topic, "/".join(parts[1:]), *parts):
            device = hints.device_at(address) if address else None
            if device is not None and device.decoder in self._decoders:
                return self._decoders[device.decoder]
        return None

    def _of(self, source: Source, site: Site | None) -> Decoder | None:
        if source.decoder == "auto":
            return None
        mapping = site.mappings.get(source.mapping) if site is not None else None
        if source.decoder == GenericJson.name and isinstance(mapping, GenericMapping):
            return GenericJson(mapping)
        if source.decoder == RawModbus.name and isinstance(mapping, ModbusMapping):
            return RawModbus(mapping)
        return self.named(source.decoder)


def widest(filters: Iterable[str]) -> list[str]:
    """*filters* without those another one covers: a broker may deliver once for each that matches."""
    every = sorted(set(filters))
    return [one for one in every if not any(other != one and matches(other, one) for other in every)]


def decoder_names() -> Sequence[str]:
    """The names a register or site.yaml may use."""
    return tuple(sorted(decoders()))
