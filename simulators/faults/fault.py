"""What can go wrong, as data: each kind of fault with its size in units, its place, its start and its end.

Sizes come from DOMAIN.md 1.5 (leaks), 2 (cold), 3 (cold chain) and 4 (electricity); what a scenario leaves out is usual.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.device import Kind, Role
from simulators.faults.moment import Duration, Start, StartTime

#: litres a minute in m3/h
L_MIN_M3H = 0.06
Share = Annotated[float, Field(gt=0, le=1)]


def _rule_name(text: str) -> str:
    if not _RULE.fullmatch(text):
        raise ValueError("a rule's name, such as water.burst")
    return text


_RULE = re.compile(r"[a-z]+\.[a-z_]+")
RuleName = Annotated[str, AfterValidator(_rule_name)]
Grows = Annotated[Duration, Field(ge=0)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Where(_Data):
    """Which devices or buildings: by id, or by what they are; *count* of those that fit are taken at random."""

    device: str = ""
    building: str = ""
    use: Literal["", "teaching", "dormitory", "canteen", "boiler_house", "office", "sports", "other"] = ""
    kind: Kind | None = None
    profile: str = ""
    role: Role | None = None
    gateway: str = ""
    count: Annotated[int, Field(ge=1)] | Literal["all"] = 1
    #: the place of an earlier fault of the same scenario, by its number from 0
    same_as: Annotated[int, Field(ge=0)] | None = None

    def __str__(self) -> str:
        given = self.model_dump(exclude_defaults=True)
        return ", ".join(f"{key} {value}" for key, value in given.items()) or "anything"


class Expect(_Data):
    """What a good monitor says: one of *rules* at *level* or worse within a time of the fault's start.

    *about*: ``place`` is the fault's own devices, ``meter`` the water meter that feeds them, ``building`` anything in theirs,
    ``gateway`` their gateway or any device behind it.
    """

    rules: list[RuleName] = Field(min_length=1)
    level: Literal["notice", "warning", "critical"]
    within: Annotated[Duration, Field(gt=0)]
    about: Literal["place", "meter", "building", "gateway"] = "place"


class Fault(_Data):
    """What all faults share."""

    place: Where = Where()
    start: StartTime = Start()
    lasts: Annotated[Duration, Field(gt=0)] = DAY_MS
    expect: list[Expect] = Field(default_factory=list)
    #: rules that must stay silent about its place meanwhile
    never: list[RuleName] = Field(default_factory=list)

    @property
    def size(self) -> float:
        """The height of its course, in the unit of what it changes."""
        return 1.0


class Leak(Fault):
    """Water that runs on: at once or growing, steadily or for *runs* in *every* (a cistern that fills again and again)."""

    kind: Literal["leak"]
    flow_l_min: float = Field(gt=0, le=5_000)
    grows_over: Grows = 0
    runs: Grows = 0
    every: Grows = 0

    @property
    def size(self) -> float:
        return self.flow_l_min * L_MIN_M3H


class BlockedMeter(Fault):
    """The register stands, whatever flows."""

    kind: Literal["blocked_meter"]


class MeterSwap(Fault):
    """A new meter, with *new_register_m3* on it."""

    kind: Literal["meter_swap"]
    new_register_m3: float = Field(default=0.0, ge=0)


class Reboot(Fault):
    """A device starts anew: silent while it *lasts*; a pulse counter that *forgets* is at 0 then."""

    kind: Literal["reboot"]
    forgets: bool = True


class ColdSnap(Fault):
    """The whole campus at about *outdoor_c*, come over some hours."""

    kind: Literal["cold_snap"]
    outdoor_c: float = Field(ge=-50, le=10)
    comes_over: Grows = 6 * HOUR_MS


class HeatingFailure(Fault):
    """*lost_share* of a building's heating is missing."""

    kind: Literal["heating_failure"]
    lost_share: Share = 1.0

    @property
    def size(self) -> float:
        return self.lost_share


class Draught(Fault):
    """Outdoor air on a pipe (a window left open, insulation gone); *burst_l_min* flows after it froze and thawed."""

    kind: Literal["draught"]
    outdoor_share: Share = 1.0
    burst_l_min: float = Field(default=0, ge=0, le=1_000)
    #: until the pipe is repaired, from the fault's start
    repaired_after: Duration = 5 * DAY_MS

    @property
    def size(self) -> float:
        return self.outdoor_share


class Compressor(Fault):
    """*lost_share* of a cabinet's cooling is missing: 1 for a dead compressor, less for lost refrigerant."""

    kind: Literal["compressor_failure"]
    lost_share: Share = 1.0
    grows_over: Grows = 0

    @property
    def size(self) -> float:
        return self.lost_share


class DefrostStuck(Fault):
    """The defrost heater does not end."""

    kind: Literal["defrost_stuck"]


class DoorOpen(Fault):
    """A door that does not close: *gap* 1 for wide open, a tenth for ajar."""

    kind: Literal["door_open"]
    gap: float = Field(default=0.3, gt=0, le=1)

    @property
    def size(self) -> float:
        return self.gap


class BreakerTrip(Fault):
    """A circuit without load; *cabinets* of its building hang on it. *silent*: the meter is behind the breaker."""

    kind: Literal["breaker_trip"]
    cabinets: int = Field(default=0, ge=0)
    silent: bool = False


class PowerCut(Fault):
    """A building without mains."""

    kind: Literal["power_cut"]


class LeftOn(Fault):
    """*power_kw* that nobody switched off."""

    kind: Literal["left_on"]
    power_kw: float = Field(gt=0, le=1_000)

    @property
    def size(self) -> float:
        return self.power_kw


class Overload(Fault):
    """Load up to *rated_share* of the circuit's rated current."""

    kind: Literal["overload"]
    rated_share: float = Field(gt=0.5, le=3)
    grows_over: Grows = 30 * MINUTE_MS


class EarthLeakage(Fault):
    """*current_ma* to earth on top of the usual."""

    kind: Literal["earth_leakage"]
    current_ma: float = Field(gt=0, le=30_000)
    grows_over: Grows = 0

    @property
    def size(self) -> float:
        return self.current_ma


class LooseNeutral(Fault):
    """*share* of the neutral's connection is gone: the phases' voltages part."""

    kind: Literal["loose_neutral"]
    share: Share = 0.5
    grows_over: Grows = 0

    @property
    def size(self) -> float:
        return self.share


class PhaseLost(Fault):
    """One phase is gone."""

    kind: Literal["phase_lost"]
    phase: Literal["a", "b", "c"]


class Voltage(Fault):
    """The supply is *change_v* off its usual value."""

    kind: Literal["voltage"]
    change_v: float = Field(ge=-150, le=150)

    @property
    def size(self) -> float:
        return -self.change_v


class GatewayDown(Fault):
    """Nothing of a gateway's devices comes through."""

    kind: Literal["gateway_down"]


class SensorStuck(Fault):
    """The same values again and again."""

    kind: Literal["sensor_stuck"]


class SensorDying(Fault):
    """Noise, nonsense and silence that grow."""

    kind: Literal["sensor_dying"]
    grows_over: Grows = 2 * DAY_MS


class SensorSilent(Fault):
    """Nothing comes any more."""

    kind: Literal["sensor_silent"]


class SensorOffset(Fault):
    """A probe that reads *offset_k* wrong."""

    kind: Literal["sensor_offset"]
    offset_k: float = Field(ge=-50, le=50)
    grows_over: Grows = 0

    @property
    def size(self) -> float:
        return self.offset_k


class LowBattery(Fault):
    """*drained_percent* of the battery is gone."""

    kind: Literal["low_battery"]
    drained_percent: float = Field(default=95, gt=0, le=100)
    grows_over: Grows = DAY_MS

    @property
    def size(self) -> float:
        return self.drained_percent


class WeakRadio(Fault):
    """*lost_share* of the messages are lost."""

    kind: Literal["weak_radio"]
    lost_share: Share = 0.6

    @property
    def size(self) -> float:
        return self.lost_share


class WrongClock(Fault):
    """The device's own clock is *ahead* (behind, with a minus)."""

    kind: Literal["wrong_clock"]
    ahead: Duration

    @property
    def size(self) -> float:
        return self.ahead


class Crowd(Fault):
    """More people than usual: no fault, but a day on which a monitor should keep calm. *activity* is added."""

    kind: Literal["crowd"]
    activity: float = Field(default=0.6, gt=0, le=3)

    @property
    def size(self) -> float:
        return self.activity


AnyFault = Annotated[
    Leak | BlockedMeter | MeterSwap | Reboot | ColdSnap | HeatingFailure | Draught | Compressor | DefrostStuck | DoorOpen
    | BreakerTrip | PowerCut | LeftOn | Overload | EarthLeakage | LooseNeutral | PhaseLost | Voltage | GatewayDown
    | SensorStuck | SensorDying | SensorSilent | SensorOffset | LowBattery | WeakRadio | WrongClock | Crowd,
    Field(discriminator="kind"),
]  # fmt: skip
