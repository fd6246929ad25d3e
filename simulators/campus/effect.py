"""Lets faults happen: turns each into courses on the models, sensors and radios of its place, and into labels."""

from __future__ import annotations

from collections.abc import Sequence

from campus.campus import Campus
from simulators.campus.fleet import Fleet
from simulators.campus.label import Expectation, Label
from simulators.campus.needs import fits, needed
from simulators.campus.places import Places, ids
from simulators.campus.simulated import Simulated
from simulators.errors import NoSuchPlace
from simulators.faults import fault as faults
from simulators.faults.fault import AnyFault, Expect
from simulators.faults.scenario import Scenario
from simulators.physics.cabinet import Cabinet
from simulators.physics.course import Course
from simulators.physics.pipe import Pipe
from simulators.physics.power import Circuit
from simulators.physics.surroundings import CampusSurroundings
from simulators.physics.water import WaterMeter

_NOMINAL_V = 228.0
_FACTOR = 0.92
_DEFAULT_RATED_A = 63.0


class Effects:
    """All that has been made to happen on one campus."""

    def __init__(self, campus: Campus, fleet: Fleet, around: CampusSurroundings, *, seed: int) -> None:
        self._campus = campus
        self._fleet = fleet
        self._around = around
        self._seed = seed
        self._places = Places(campus, fleet)
        self._labels: list[Label] = []

    def begin(self, scenario: Scenario, start_ms: int) -> list[Label]:
        """Every fault of a scenario that starts at *start_ms*; raises :class:`NoSuchPlace` before any has begun."""
        spans: list[_Happening] = []
        for index, fault in enumerate(scenario.faults):
            begins_ms = fault.start.at(start_ms, self._campus.site.zone)
            seed = f"{self._seed}:{scenario.name}:{index}:{start_ms}"
            one = _Happening(self, scenario.name, f"faults[{index}].place", fault, begins_ms, seed)
            one.find(spans)
            spans.append(one)
        labels = [one.happen() for one in spans]
        self._labels += labels
        return labels

    def taken(self, device: str, start_ms: int, end_ms: int) -> bool:
        """Whether another fault of this device overlaps a span."""
        return any(
            device in one.devices and one.start_ms < end_ms and start_ms < one.end_ms for one in self._labels
        )


class _Happening:
    """One fault on its way: first its place is found, then it happens."""

    def __init__(
        self, effects: Effects, scenario: str, key: str, fault: AnyFault, start_ms: int, seed: str
    ) -> None:
        self._effects = effects
        self._fleet, self._around, self._places = effects._fleet, effects._around, effects._places  # noqa: SLF001 - one concept in two classes
        self._key = (scenario, key)
        self._fault = fault
        self._start_ms, self._end_ms = start_ms, start_ms + fault.lasts
        self._seed = seed
        self.devices: list[Simulated] = []
        self.buildings: list[str] = []
        self.gateways: list[str] = []

    def find(self, earlier: Sequence[_Happening]) -> None:
        """The devices, buildings or gateways it is about."""
        if self._fault.place.same_as is not None:
            self._take_over(earlier[self._fault.place.same_as])
            return
        match self._fault:
            case faults.ColdSnap():
                pass
            case faults.HeatingFailure() | faults.PowerCut() | faults.Crowd():
                self.buildings = self._places.buildings(self._fault.place, self._key, self._seed)
                self.devices = [
                    one for building in self.buildings for one in self._places.of_building(building)
                ]
            case faults.GatewayDown():
                self.gateways = self._places.gateways(self._fault.place, self._key, self._seed)
                self.devices = [one for gateway in self.gateways for one in self._places.behind(gateway)]
            case _:
                self.devices = self._places.devices(
                    self._fault.place,
                    lambda one: fits(self._fault, one),
                    needed(self._fault),
                    self._taken,
                    self._key,
                    self._seed,
                )
        if isinstance(self._fault, faults.PowerCut):
            self.devices = [one for one in self.devices if one.mains or isinstance(one.model, Cabinet)]

    def _take_over(self, same: _Happening) -> None:
        """The place of an earlier fault, where this one can happen there, too."""
        self.devices, self.buildings, self.gateways = list(same.devices), same.buildings, same.gateways
        match self._fault:
            case faults.HeatingFailure() | faults.PowerCut() | faults.Crowd():
                right, what = bool(self.buildings), "a building"
            case faults.GatewayDown():
                right, what = bool(self.gateways), "a gateway"
            case _:
                right = bool(self.devices) and all(fits(self._fault, one) for one in self.devices)
                what = needed(self._fault)
        if not right:
            raise NoSuchPlace(*self._key, str(self._fault.place), what)

    def happen(self) -> Label:
        """Changes the models, and says what is true from now on."""
        course = self._course()
        self._on_places(course)
        for one in tuple(self.devices):
            self._on_model(one, course)
            self._on_sensor(one, course)
        expect = tuple(self._expectation(one) for one in self._fault.expect)
        # A swapped meter is one moment of the register, but what is said of it has the span to be said in.
        return Label(
            self._key[0], self._fault.kind, self._about(), self._start_ms, self._end_ms, expect, tuple(self._fault.never)
        )  # fmt: skip

    def _about(self) -> tuple[str, ...]:
        return (*ids(self.devices), *self.gateways)

    def _taken(self, device: str) -> bool:
        return self._effects.taken(device, self._start_ms, self._end_ms)

    def _course(self) -> Course:
        grows_ms = getattr(self._fault, "grows_over", 0)
        course = Course(self._start_ms, self._end_ms, self._fault.size, grows_ms)
        if isinstance(self._fault, faults.Leak):
            return course._replace(on_ms=self._fault.runs, every_ms=self._fault.every)
        return course

    def _on_places(self, course: Course) -> None:
        for building in self.buildings:
            state = self._around.building(building)
            match self._fault:
                case faults.HeatingFailure():
                    state.heating_lost.append(course)
                case faults.PowerCut():
                    state.mains_lost.append(course)
                case faults.Crowd():
                    state.crowd.append(course)
        for gateway in self.gateways:
            self._fleet.gateway(gateway).append(course)
        if isinstance(self._fault, faults.ColdSnap):
            snap = course._replace(rise_ms=self._fault.comes_over)
            self._around.sky.snaps.append((snap, self._fault.outdoor_c))

    def _on_model(self, one: Simulated, course: Course) -> None:
        match self._fault, one.model:
            case _, WaterMeter() as meter:
                self._on_meter(one, meter, course)
            case faults.Draught() as fault, Pipe() as pipe:
                pipe.draught.append(course)
                if fault.burst_l_min:
                    repaired_ms = course.start_ms + fault.repaired_after
                    pipe.weak = Course(course.start_ms, repaired_ms, fault.burst_l_min * faults.L_MIN_M3H)
                    self._end_ms = max(self._end_ms, repaired_ms)
            case faults.Compressor(), Cabinet() as cabinet:
                cabinet.cooling_lost.append(course)
            case faults.DefrostStuck(), Cabinet() as cabinet:
                cabinet.heater_stuck.append(course)
            case faults.DoorOpen(), Cabinet() as cabinet:
                cabinet.door.append(course)
            case _, Circuit() as circuit:
                self._on_circuit(one, circuit, course)
            case _:
                pass

    def _on_meter(self, one: Simulated, meter: WaterMeter, course: Course) -> None:
        match self._fault:
            case faults.Leak():
                meter.leaks.append(course)
            case faults.BlockedMeter():
                meter.register.blocked.append(course)
            case faults.MeterSwap(new_register_m3=register_m3):
                meter.register.swap(course.start_ms, register_m3)
            case faults.Reboot(forgets=True) if one.device.pulse_weight:
                meter.register.swap(course.start_ms, 0.0)
            case _:
                pass

    def _on_circuit(self, one: Simulated, circuit: Circuit, course: Course) -> None:
        match self._fault:
            case faults.BreakerTrip(cabinets=count, silent=silent):
                circuit.tripped.append(course)
                if silent:
                    one.radio.silent.append(course)
                self._unplug(one, count, course)
            case faults.LeftOn():
                circuit.extra_kw.append(course)
            case faults.Overload(rated_share=share):
                rated_a = one.device.rated_current_a or _DEFAULT_RATED_A
                full_kw = rated_a * _NOMINAL_V * _FACTOR * (3 if circuit.three_phase else 1) / 1000
                circuit.extra_kw.append(course._replace(size=share * full_kw))
            case faults.EarthLeakage():
                circuit.leakage_ma.append(course)
            case faults.LooseNeutral():
                circuit.neutral_lost.append(course)
            case faults.PhaseLost(phase=phase):
                circuit.lose_phase("abc".index(phase), course)
            case faults.Voltage():
                circuit.sag_v.append(course)
            case _:
                pass

    def _unplug(self, one: Simulated, count: int, course: Course) -> None:
        """Cabinets of the same building that hang on the circuit."""
        for other in self._places.of_building(one.device.place.building):
            if count and isinstance(other.model, Cabinet) and other not in self.devices:
                other.model.unpowered.append(course)
                self.devices.append(other)
                count -= 1

    def _on_sensor(self, one: Simulated, course: Course) -> None:
        match self._fault:
            case faults.SensorStuck():
                one.sensor.stuck.append(course)
            case faults.SensorDying():
                one.sensor.dying.append(course)
            case faults.SensorSilent() | faults.Reboot():
                one.radio.silent.append(course)
            case faults.SensorOffset():
                one.sensor.offset_k.append(course)
            case faults.LowBattery():
                one.sensor.drained.append(course)
            case faults.WeakRadio():
                one.radio.loss.append(course)
            case faults.WrongClock():
                one.radio.clock_ms.append(course)
            case _:
                pass

    def _expectation(self, expect: Expect) -> Expectation:
        buildings = {one.device.place.building for one in self.devices} | set(self.buildings)
        match expect.about:
            case "place":
                subjects = self._about()
            case "meter":
                meters = [self._fleet.feeding(building) for building in sorted(buildings)]
                subjects = ids(one for one in self._fleet.devices.values() if one.model in meters)
            case "building":
                subjects = ids(
                    one for building in sorted(buildings) for one in self._places.of_building(building)
                )
            case _:
                gateways = {one.device.gateway for one in self.devices} | set(self.gateways)
                subjects = tuple(sorted(gateways - {""})) + self._about()
        return Expectation(tuple(expect.rules), expect.level, self._start_ms + expect.within, subjects)
