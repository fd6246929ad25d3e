"""Zigbee2MQTT, Tasmota and Shelly Gen2: the formats of small devices on the local network."""

from __future__ import annotations

import random
from typing import Any

from campus.clock import from_ms
from campus.device import Device
from campus.quantity import Quantity
from campus.site import Site
from simulators.formats.contract import Publication, as_json, first
from simulators.physics.model import Values


def zigbee2mqtt(
    device: Device, values: Values, time_ms: int, generator: random.Random, site: Site
) -> list[Publication]:
    """The merged state of a device, flat and without a time."""
    body: dict[str, Any] = {"linkquality": generator.randint(60, 255)}
    for (quantity, _), value in values.items():
        match quantity:
            case (
                Quantity.TEMPERATURE
                | Quantity.HUMIDITY
                | Quantity.ENERGY
                | Quantity.CURRENT
                | Quantity.VOLTAGE
            ):
                body[quantity.value] = round(value, 2)
            case Quantity.ACTIVE_POWER:
                body["power"] = round(value * 1000, 1)
            case Quantity.LEAK_DETECTED:
                body["water_leak"] = bool(value)
            case Quantity.DOOR_OPEN:
                body["contact"] = not value
            case _:
                continue
    if Quantity.ACTIVE_POWER not in {quantity for quantity, _ in values}:
        level = first(values, Quantity.BATTERY_LEVEL)
        body |= {"battery": round(94 if level is None else level), "voltage": 2985}
    return [Publication(f"zigbee2mqtt/{device.address}", as_json(body))]


def tasmota(
    device: Device, values: Values, time_ms: int, generator: random.Random, site: Site
) -> list[Publication]:
    """A periodic SENSOR message in the site's local time, without zone, as the firmware does."""
    body: dict[str, Any] = {"Time": from_ms(time_ms, site.zone).strftime("%Y-%m-%dT%H:%M:%S")}
    temperature, power = first(values, Quantity.TEMPERATURE), first(values, Quantity.ACTIVE_POWER)
    pulses = first(values, Quantity.PULSE_COUNT)
    if temperature is not None:
        body["DS18B20"] = {"Id": "01131B123456", "Temperature": round(temperature, 1)}
        body["TempUnit"] = "C"
    if power is not None:
        body["ENERGY"] = {
            "Total": round(first(values, Quantity.ENERGY) or 0, 3),
            "Power": round(power * 1000),
            "Factor": round(first(values, Quantity.POWER_FACTOR) or 0, 2),
            "Voltage": round(first(values, Quantity.VOLTAGE) or 0),
            "Current": round(first(values, Quantity.CURRENT) or 0, 3),
        }
    if pulses is not None:
        body["COUNTER"] = {"C1": int(pulses)}
    return [Publication(f"tele/{device.address}/SENSOR", as_json(body))]


def shelly_gen2(
    device: Device, values: Values, time_ms: int, generator: random.Random, site: Site
) -> list[Publication]:
    """A three-phase meter's ``em:0`` and ``emdata:0``, or a plug's ``switch:0``."""
    if any(channel == "a" for _, channel in values):
        return _three_phase(device, values)
    body = {
        "id": 0,
        "output": True,
        "apower": round((first(values, Quantity.ACTIVE_POWER) or 0) * 1000, 1),
        "voltage": first(values, Quantity.VOLTAGE),
        "current": first(values, Quantity.CURRENT),
        "pf": first(values, Quantity.POWER_FACTOR),
        "aenergy": {"total": round((first(values, Quantity.ENERGY) or 0) * 1000, 3)},
    }
    return [Publication(f"{device.address}/status/switch:0", as_json(body))]


def _three_phase(device: Device, values: Values) -> list[Publication]:
    live: dict[str, Any] = {"id": 0, "n_current": None}
    for phase in ("a", "b", "c"):
        live[f"{phase}_act_power"] = round(values[Quantity.ACTIVE_POWER, phase] * 1000, 1)
        live[f"{phase}_voltage"] = values[Quantity.VOLTAGE, phase]
        live[f"{phase}_current"] = values[Quantity.CURRENT, phase]
        live[f"{phase}_pf"] = round(values.get((Quantity.POWER_FACTOR, phase), 1.0), 2)
    live["total_act_power"] = round(values[Quantity.ACTIVE_POWER, "total"] * 1000, 3)
    counted = {"id": 0, "total_act": round(values[Quantity.ENERGY, "total"] * 1000, 2), "total_act_ret": 0.0}
    return [
        Publication(f"{device.address}/status/em:0", as_json(live)),
        Publication(f"{device.address}/status/emdata:0", as_json(counted)),
    ]
