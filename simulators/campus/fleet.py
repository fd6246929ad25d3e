"""Every device of a register as a simulated one: the model its kind, role and profile ask for."""

from __future__ import annotations

import random

from campus.campus import Campus
from campus.device import Device, Kind, Role
from campus.quantity import Quantity
from simulators.campus.radio import Radio
from simulators.campus.simulated import Simulated
from simulators.formats.catalogue import encoders
from simulators.physics.cabinet import Cabinet
from simulators.physics.course import Courses
from simulators.physics.demand import FIXTURES, Cistern, Demand, Draws, RoofTank, Sprinklers
from simulators.physics.model import Model
from simulators.physics.pipe import STEEL, Bore, Pipe, time_constant_h
from simulators.physics.power import Circuit, ElectricLoad
from simulators.physics.surroundings import CampusSurroundings
from simulators.physics.thermal import Mass, heating, outdoor, room
from simulators.physics.water import ParentMeter, Register, WaterMeter

#: draws of water an hour at full activity, by the use of a building (assumed; a stage, not a statistic)
_DRAWS_PER_HOUR = {
    "teaching": 120.0,
    "dormitory": 220.0,
    "canteen": 90.0,
    "boiler_house": 0.5,
    "office": 40.0,
}
#: base, used and cooling kW of a building's meter, by the use of the building (assumed)
_LOADS = {
    "teaching": ElectricLoad(1.2, 14.0, 6.0),
    "dormitory": ElectricLoad(2.5, 18.0, 8.0),
    "canteen": ElectricLoad(3.0, 22.0, 4.0, used_factor=0.9),
    "boiler_house": ElectricLoad(4.0, 3.0, used_factor=0.82),
    "office": ElectricLoad(1.5, 6.0, 5.0),
    "sports": ElectricLoad(0.8, 8.0),
}
_USUAL_LOAD = ElectricLoad(0.5, 4.0)
#: a single-phase circuit's share of its building's load
_CIRCUIT_SHARE = 0.2
_SINGLE_PHASE = {"tasmota", "zigbee2mqtt"}
#: how much of the weather reaches a pipe inside a heated building, and one in an unheated corner of it (fitted: a crawlspace
#: follows 0.16 of the weather, docs/simulators.md)
_PIPE_SHARE, _EXPOSED_SHARE = 0.12, 0.30


class Fleet:
    """All simulated devices of a campus by id; the same seed gives the same campus to the byte."""

    def __init__(self, campus: Campus, around: CampusSurroundings, *, seed: int) -> None:
        self._campus = campus
        self._around = around
        self._seed = seed
        self.devices: dict[str, Simulated] = {}
        #: above 0 while a gateway is down, by its id
        self.gateways: dict[str, Courses] = {}
        self._meters: dict[str, WaterMeter] = {}
        known = encoders()
        # Parents measure the sum of their children, so children are made first; pipes know the meter that feeds them.
        order = sorted(
            campus.devices.values(), key=lambda one: (one.kind is Kind.PIPE_PROBE, _height(campus, one.id))
        )
        for device in order:
            if device.decoder in known:
                self.devices[device.id] = self._simulated(device)

    def gateway(self, gateway: str) -> Courses:
        """When a gateway is down."""
        return self.gateways.setdefault(gateway, Courses())

    def feeding(self, building: str) -> WaterMeter | None:
        """The meter before the pipes of a building: its largest one."""
        found = [one for one in self._meters.values() if one.building == building]
        return max(found, key=lambda one: isinstance(one, ParentMeter), default=None)

    def _simulated(self, device: Device) -> Simulated:
        name = f"{self._seed}:{device.id}"
        generator = random.Random(name)
        model = self._model(device, generator)
        down = self.gateway(device.gateway) if device.gateway else Courses()
        radio = Radio(random.Random(f"{name}:radio"), device.decoder, gateway_down=down)
        mains = device.decoder not in _BATTERY_RADIOS or device.kind is Kind.ELECTRICITY_METER
        return Simulated(device, model, radio, encoders()[device.decoder], seed=name, mains=mains)

    def _model(self, device: Device, generator: random.Random) -> Model:
        building = device.place.building
        state = self._around.building(building)
        match device.kind:
            case Kind.WATER_METER | Kind.GAS_METER:
                meter = self._meters[device.id] = self._water(device, generator, state.use)
                return meter
            case Kind.ELECTRICITY_METER:
                return _circuit(device, generator, state.use)
            case Kind.COLD_STORAGE:
                return Cabinet(generator, building, profile=device.profile, mains_lost=state.mains_lost)
            case Kind.PIPE_PROBE:
                return self._pipe(device, generator)
            case _:
                return _probe(device, generator, state.heating_lost)

    def _water(self, device: Device, generator: random.Random, use: str) -> WaterMeter:
        register = Register(
            step_m3=device.pulse_weight or 0.001,
            modulus_m3=device.register_modulus,
            start_m3=generator.uniform(50, 5_000),
        )
        with_flow = device.decoder != "tasmota" and not device.pulse_weight
        children = [
            self._meters[one.id] for one in self._campus.children(device.id) if one.id in self._meters
        ]
        if children:
            return ParentMeter(device.place.building, children, register, with_flow=with_flow)
        demands = _demands(generator, use, self._share(device))
        return WaterMeter(device.place.building, demands, register, with_flow=with_flow)

    def _share(self, device: Device) -> float:
        """One floor's part of its building, where floors have meters of their own."""
        beside = [
            one for one in self._campus.children(device.parent) if one.place.building == device.place.building
        ]
        return 1 / max(1, len(beside))

    def _pipe(self, device: Device, generator: random.Random) -> Model:
        building = device.place.building
        exposed = device.profile == "exposed_pipe"
        heated = self._around.building(building).heated
        ambient = room(building, (_EXPOSED_SHARE if exposed else _PIPE_SHARE) if heated else 0.0)
        if device.role is Role.PIPE_SPACE:
            return Mass(generator, ambient, tau_h=1.0)
        feeding = self.feeding(building)
        bore = Bore(*STEEL[25], insulation_mm=0 if exposed else 20)
        feeds = feeding.leaks if feeding is not None else Courses()
        return Pipe(generator, building, ambient, tau_h=time_constant_h(bore), feeds=feeds)


#: radios whose sensors run on batteries, so that a power cut does not silence them
_BATTERY_RADIOS = {"zigbee2mqtt", "chirpstack_v4", "tts_v3", "wmbusmeters"}


def _height(campus: Campus, device_id: str) -> int:
    """0 for a device that feeds none, one more than the highest of its children otherwise."""
    return max((1 + _height(campus, child.id) for child in campus.children(device_id)), default=0)


def _demands(generator: random.Random, use: str, share: float) -> list[Demand]:
    """Draws everywhere; urinal cisterns in schools, a roof tank on every third dormitory, sprinklers at every fourth office."""
    fixtures = FIXTURES.get(use, FIXTURES["other"])
    draws = Draws(
        generator, fixtures, per_hour=share * _DRAWS_PER_HOUR.get(use, 20.0), lessons=use == "teaching"
    )
    chance = generator.random()
    if use == "teaching":
        return [draws, Cistern(litres=12, every_min=generator.uniform(10, 20))]
    if use == "dormitory" and share == 1 and chance < 1 / 3:
        return [RoofTank(draws, band_m3=1.5, fill_m3h=generator.uniform(3, 5))]
    if use == "office" and chance < 1 / 4:
        return [draws, Sprinklers(flow_m3h=2.0, start_ms=_FIVE_IN_CHINA_MS, minutes=40)]
    return [draws]


#: 05:00 in China as a time of the UTC day
_FIVE_IN_CHINA_MS = 21 * 3_600_000


def _circuit(device: Device, generator: random.Random, use: str) -> Circuit:
    load = _LOADS.get(use, _USUAL_LOAD)
    single = device.decoder in _SINGLE_PHASE
    if single:
        load = load._replace(
            base_kw=load.base_kw * _CIRCUIT_SHARE,
            used_kw=load.used_kw * _CIRCUIT_SHARE,
            cooling_kw=load.cooling_kw * _CIRCUIT_SHARE,
        )
    watched = any(field.quantity == Quantity.RESIDUAL_CURRENT for field in device.fields.values())
    return Circuit(
        generator,
        device.place.building,
        load,
        phases=("",) if single else ("a", "b", "c"),
        start_kwh=generator.uniform(100, 90_000),
        earth_ma=generator.uniform(20, 60) if watched else None,
    )


def _probe(device: Device, generator: random.Random, heating_lost: Courses) -> Model:
    match device.role:
        case Role.OUTDOOR:
            return Mass(generator, outdoor, tau_h=0.5, humidity=True)
        case Role.HEATING_SUPPLY:
            return Mass(generator, heating(heating_lost), tau_h=0.5)
        case Role.HEATING_RETURN:
            return Mass(generator, heating(heating_lost, returning=True), tau_h=1.0)
        case _:
            return Mass(generator, room(device.place.building), tau_h=0.5, humidity=True)
