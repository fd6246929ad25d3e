"""rtlamr: meters' radio messages as JSON, ``{Time, Type, Message}``, on whatever topic a bridge publishes them.

Source: github.com/bemasher/rtlamr (scm, scmplus, idm, netidm, r900, r900bcd). The differential intervals of IDM and NetIDM
are what the register already holds, so only the register is read.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.radio.ert import commodity, register_value
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_TYPES = (b'"SCM"', b'"SCM+"', b'"IDM"', b'"NetIDM"', b'"R900"', b'"R900BCD"')
_IDS = ("ID", "EndpointID", "ERTSerialNumber")
_TYPE_KEYS = ("EndpointType", "ERTType", "Type")
#: the register, and the channel of what is not the plain consumption
_REGISTERS = {
    "Consumption": "",
    "LastConsumptionCount": "",
    "LastConsumption": "",
    "LastConsumptionNet": "net",
    "LastGeneration": "produced",
}
#: the meter's own words: days without use, backflow in 35 days, days with a leak, a leak in the past 24 hours, tampering
_FLAGS = ("NoUse", "BackFlow", "Leak", "LeakNow", "TamperPhy", "TamperEnc", "Tamper")
_NEPTUNE = {"R900", "R900BCD"}


class RtlAmr:
    """SCM, SCM+, IDM, NetIDM and R900."""

    name: ClassVar[str] = "rtlamr"
    topics: ClassVar[tuple[str, ...]] = ("rtlamr", "rtlamr/+")

    def recognises(self, message: Message) -> bool:
        """By ``Type`` and ``Message`` with a kind of message it knows, or by the topic."""
        parts = segments(message.topic)
        if parts[0] == "rtlamr" and len(parts) <= 2 and parts[-1] != "status":
            return True
        head = message.payload[:512]
        return b'"Message"' in head and b'"Type"' in head and any(one in head for one in _TYPES)

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """The meter's register, in the unit the register of devices gives, with what it says of leaks and tampering as flags."""
        body = mapping(message.payload)
        told = inner(body, "Message")
        address = next((one for key in _IDS if (one := text(told.get(key)))), "")
        if not address:
            raise Rejected("no_device", f"found no {', '.join(_IDS)} in the message")
        dropped: dict[str, str] = {}
        device = hints.device_at(address)
        metered = "water" if text(body.get("Type")) in _NEPTUNE else _commodity(told)
        found = (
            register_value(metered, key, told.get(key), device, dropped, channel)
            for key, channel in _registers(told).items()
        )
        values = tuple(value for value in found if value is not None)
        time_ms = plausible(parse(body.get("Time"), hints.zone), message.received_ms)
        return Decoded((Report(address, time_ms, values, dropped, _flags(told)),))


def _registers(told: dict[str, Any]) -> dict[str, str]:
    """A net meter says the net beside the consumption; a consumption of 0 there means it counts the net only."""
    found = {key: channel for key, channel in _REGISTERS.items() if key in told}
    if "LastConsumptionNet" in found and not told.get("LastConsumption"):
        found.pop("LastConsumption", None)
    return found


def _commodity(told: dict[str, Any]) -> str:
    return next((commodity(told[key]) for key in _TYPE_KEYS if key in told), "")


def _flags(told: dict[str, Any]) -> dict[str, str]:
    flags = {key: str(told[key]) for key in _FLAGS if isinstance(told.get(key), int) and told[key]}
    intervals = told.get("DifferentialConsumptionIntervals")
    return flags | ({"intervals": str(len(intervals))} if isinstance(intervals, list) else {})
