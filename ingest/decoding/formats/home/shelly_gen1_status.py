"""The status of a first-generation Shelly as one document: lists of relays, meters and emeters, and its sensors."""

from __future__ import annotations

from typing import Any

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.decoding.wire.document import inner
from ingest.message import Value

#: the three-phase meter; the other ``emeter`` devices have two independent circuits
_THREE_PHASE = "shellyem3"
_PHASES = "abc"
_METER: dict[str, Meaning] = {
    "power": Meaning(Quantity.ACTIVE_POWER, "W"),
    "total": Meaning(Quantity.ENERGY, "Wmin"),
}
_EMETER: dict[str, Meaning] = {
    "power": Meaning(Quantity.ACTIVE_POWER, "W"),
    "voltage": Meaning(Quantity.VOLTAGE, "V"),
    "current": Meaning(Quantity.CURRENT, "A"),
    "pf": Meaning(Quantity.POWER_FACTOR, "1"),
    "total": Meaning(Quantity.ENERGY, "Wh"),
    "total_returned": Meaning(Quantity.ENERGY, "Wh", "produced"),
}
_MOST = 8
#: what the add-on says for a probe that is not there
NO_PROBE = 999.0
_PROBES = {"0", "1", "2", "3", "4"}


def circuit(address: str, kind: str, number: str) -> str:
    """The channel of a circuit; meters and relays of one number are the same circuit."""
    if kind == "emeter" and address.lower().startswith(_THREE_PHASE) and number in {"0", "1", "2"}:
        return _PHASES[int(number)]
    return f"{kind}:{number}"


def probe(number: str) -> str:
    """The channel of a probe at the add-on; the first needs no number."""
    return "probe" if number == "0" else f"probe{int(number) + 1}"


class Status:
    """The values of one status *body*."""

    def __init__(self, address: str, body: dict[str, Any], device: Device | None) -> None:
        self.values: list[Value] = []
        self.dropped: dict[str, str] = {}
        self._device = device
        kind = next(
            (one for one in ("relay", "roller", "light") if isinstance(body.get(f"{one}s"), list)), "meter"
        )
        for number, one in _listed(body, "relays"):
            self._take(
                Meaning(Quantity.SWITCH, "bool"), f"relay:{number}", f"relay/{number}", one.get("ison")
            )
        for number, one in _listed(body, "meters"):
            if one.get("is_valid") is not False:
                self._circuit(_METER, circuit(address, kind, number), f"meter/{number}", one)
        for number, one in _listed(body, "emeters"):
            if one.get("is_valid") is not False:
                self._circuit(_EMETER, circuit(address, "emeter", number), f"emeter/{number}", one)
        self._sensors(body)

    def _circuit(self, fields: dict[str, Meaning], channel: str, field: str, one: dict[str, Any]) -> None:
        for key, meaning in fields.items():
            own = ".".join(part for part in (channel, meaning.channel) if part)
            self._take(meaning, own, f"{field}/{key}", one.get(key))

    def _sensors(self, body: dict[str, Any]) -> None:
        temperature = inner(body, "tmp")
        if temperature.get("is_valid") is not False:
            # devices with a relay or meter report their own case
            inside = any(isinstance(body.get(one), list) for one in ("relays", "meters", "emeters"))
            where = "device" if inside else ""
            self._take(
                Meaning(Quantity.TEMPERATURE, "°C"), where, "sensor/temperature", temperature.get("tC")
            )
        humidity = inner(body, "hum")
        if humidity.get("is_valid") is not False:
            self._take(Meaning(Quantity.HUMIDITY, "%"), "", "sensor/humidity", humidity.get("value"))
        self._take(Meaning(Quantity.LEAK_DETECTED, "bool"), "", "sensor/flood", body.get("flood"))
        self._take(
            Meaning(Quantity.DOOR_OPEN, "bool"), "", "sensor/state", inner(body, "sensor").get("state")
        )
        battery = inner(body, "bat")
        self._take(Meaning(Quantity.BATTERY_LEVEL, "%"), "", "sensor/battery", battery.get("value"))
        self._take(
            Meaning(Quantity.BATTERY_VOLTAGE, "V"), "", "sensor/battery_voltage", battery.get("voltage")
        )
        for kind, key, meaning in (
            ("ext_temperature", "tC", Meaning(Quantity.TEMPERATURE, "°C")),
            ("ext_humidity", "hum", Meaning(Quantity.HUMIDITY, "%")),
        ):
            for number, one in inner(body, kind).items():
                if isinstance(one, dict) and number in _PROBES and one.get(key) != NO_PROBE:
                    self._take(meaning, probe(number), f"{kind}/{number}", one.get(key))

    def _take(self, meaning: Meaning, channel: str, field: str, raw: object) -> None:
        found = registered(field, self._device) or meaning._replace(channel=channel)
        value = value_of(found, field, raw, self.dropped)
        if value is not None:
            self.values.append(value)


def _listed(body: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    found = body.get(key)
    listed = found[:_MOST] if isinstance(found, list) else []
    return [(str(number), one) for number, one in enumerate(listed) if isinstance(one, dict)]
