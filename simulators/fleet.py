"""Every device of a register as a simulated one: the model its kind, role and profile ask for."""

from __future__ import annotations

import random
from collections.abc import Iterator

from campus.campus import Campus
from campus.device import Device, Kind, Role
from campus.quantity import Quantity
from simulators.formats.catalogue import encoders
from simulators.formats.contract import Publication
from simulators.model import Model, Values
from simulators.power import Circuit
from simulators.thermal import Cabinet, Mass, heated, outdoor
from simulators.water import Sum, WaterUse
from simulators.world import NorthernWinter

#: draws of water an hour at full activity, by the use of a building (assumed; a stage, not a statistic)
_DRAWS_PER_HOUR = {
    "teaching": 120.0,
    "dormitory": 260.0,
    "canteen": 160.0,
    "boiler_house": 6.0,
    "office": 40.0,
}
#: base and used kW of a building's or circuit's meter, by the use of the building (assumed)
_LOAD_KW = {
    "teaching": (1.2, 14.0),
    "dormitory": (2.5, 18.0),
    "canteen": (3.0, 22.0),
    "boiler_house": (4.0, 3.0),
}
_SET_C = {"freezer": -20.0, "fridge": 4.0, "sample_cabinet": 4.0}
_DEFAULT_INTERVAL_S = 60.0


class Simulated:
    """A device of the register with its physics, its format and its own random numbers."""

    def __init__(self, device: Device, model: Model, generator: random.Random) -> None:
        self.device = device
        self.model = model
        self._generator = generator
        self._encode = encoders()[device.decoder]

    def publications(self, time_ms: int, world: NorthernWinter, campus: Campus) -> list[Publication]:
        """What the device publishes at *time_ms*."""
        values = self._as_counted(self.model.step(time_ms, world))
        return self._encode(self.device, values, time_ms, self._generator, campus.site)

    def _as_counted(self, values: Values) -> Values:
        """A pulse meter sends pulses, not m3 or kWh."""
        weight = self.device.pulse_weight
        if not weight:
            return values
        counted = {Quantity.WATER_VOLUME, Quantity.ENERGY, Quantity.GAS_VOLUME}
        return {
            ((Quantity.PULSE_COUNT, channel) if quantity in counted else (quantity, channel)): (
                value // weight if quantity in counted else value
            )
            for (quantity, channel), value in values.items()
        }


class Fleet:
    """All simulated devices of a campus; the same seed gives the same values at the same times."""

    def __init__(self, campus: Campus, *, seed: int) -> None:
        self._campus = campus
        self._seed = seed
        uses = {building.id: building.use for building in campus.site.buildings}
        self.world = NorthernWinter(campus.site.zone, uses, campus.hours)
        self._uses = uses
        self.devices: dict[str, Simulated] = {}
        water: dict[str, WaterUse | Sum] = {}
        # Parents measure the sum of their children, so children are made first.
        for device in sorted(campus.devices.values(), key=lambda one: _height(campus, one.id)):
            if device.decoder not in encoders():
                continue
            generator = random.Random(f"{seed}:{device.id}")
            children = [water[child.id] for child in campus.children(device.id) if child.id in water]
            model = self._model(device, generator, children)
            if isinstance(model, WaterUse | Sum):
                water[device.id] = model
            self.devices[device.id] = Simulated(device, model, generator)

    def due(self, after_ms: int, until_ms: int) -> Iterator[tuple[int, Simulated]]:
        """Which devices report between two moments (half open), in order of time."""
        moments = []
        for simulated in self.devices.values():
            interval_ms = int((simulated.device.interval_s or _DEFAULT_INTERVAL_S) * 1000)
            offset_ms = random.Random(f"{self._seed}:{simulated.device.id}:phase").randrange(interval_ms)
            first = after_ms + (offset_ms - after_ms) % interval_ms
            moments += [(moment, simulated.device.id) for moment in range(first, until_ms, interval_ms)]
        for moment, device_id in sorted(moments):
            yield moment, self.devices[device_id]

    def publications(self, time_ms: int, simulated: Simulated) -> list[Publication]:
        """What one of them publishes at *time_ms*."""
        return simulated.publications(time_ms, self.world, self._campus)

    def _model(self, device: Device, generator: random.Random, children: list[WaterUse | Sum]) -> Model:
        use = self._uses.get(device.place.building, "other")
        match device.kind:
            case Kind.WATER_METER if children:
                return Sum(children)
            case Kind.WATER_METER | Kind.GAS_METER:
                return _water(device, generator, use)
            case Kind.ELECTRICITY_METER:
                return _circuit(device, generator, use)
            case Kind.COLD_STORAGE:
                return Cabinet(generator, set_c=_SET_C.get(device.profile, 4.0))
            case _:
                return _probe(device, generator, heated_building=self._heated(device))

    def _heated(self, device: Device) -> bool:
        building = self._campus.site.building(device.place.building)
        return building is None or building.heated


def _height(campus: Campus, device_id: str) -> int:
    """0 for a device that feeds none, one more than the highest of its children otherwise."""
    return max((1 + _height(campus, child.id) for child in campus.children(device_id)), default=0)


def _water(device: Device, generator: random.Random, use: str) -> WaterUse:
    return WaterUse(
        generator,
        device.place.building,
        draws_per_hour=_DRAWS_PER_HOUR.get(use, 20.0),
        step_m3=device.pulse_weight or 0.001,
        modulus_m3=device.register_modulus,
        start_m3=generator.uniform(50, 5_000),
        with_flow=device.decoder != "tasmota" and not device.pulse_weight,
    )


def _circuit(device: Device, generator: random.Random, use: str) -> Circuit:
    base_kw, used_kw = _LOAD_KW.get(use, (0.5, 4.0))
    phases = ("",) if device.decoder in {"tasmota", "zigbee2mqtt"} else ("a", "b", "c")
    share = 0.2 if len(phases) == 1 else 1.0
    circuit = Circuit(
        generator,
        device.place.building,
        base_kw=base_kw * share,
        used_kw=used_kw * share,
        phases=phases,
        start_kwh=generator.uniform(100, 90_000),
    )
    if any(field.quantity == Quantity.RESIDUAL_CURRENT for field in device.fields.values()):
        circuit.residual_ma = generator.uniform(20, 60)
    return circuit


def _probe(device: Device, generator: random.Random, *, heated_building: bool) -> Mass:
    match device.role:
        case Role.OUTDOOR:
            return Mass(generator, outdoor, tau_h=0.5, humidity=True)
        case Role.HEATING_SUPPLY:
            return Mass(generator, heated(62.0, 0.05), tau_h=0.5)
        case Role.HEATING_RETURN:
            return Mass(generator, heated(45.0, 0.05), tau_h=0.5)
        case Role.PIPE_WALL | Role.PIPE_SPACE:
            ambient = heated(14.0, 0.15) if heated_building else heated(9.0, 0.35)
            return Mass(generator, ambient, tau_h=2.5)
        case _:
            return Mass(generator, heated(21.0), tau_h=3.0, humidity=True)
