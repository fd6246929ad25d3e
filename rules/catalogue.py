"""Every rule there is."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from rules.cold.above_limit import AboveLimit
from rules.cold.learned import Drift, Failing
from rules.cold.limits import DoorOpen, TooCold
from rules.cold.power import CalibrationDue, PowerLost, ProbePair
from rules.electricity.left_on import LeftOn
from rules.electricity.limits import CableHot, Overload, Residual, Voltage
from rules.electricity.supply import Outage, Phases
from rules.electricity.usual import BaseloadRise, CrossCheck, ResidualRise
from rules.heat.boiler import HeatingFailed
from rules.heat.gas import GasClosed
from rules.heat.limits import BoilerPressure, GasDetected, RoomCold, SupplyTemperature, WaterDetected
from rules.pipe.cold import PipeCold
from rules.pipe.thaw import StillWater, ThawWatch
from rules.rule import AnyRule
from rules.sensor.limits import BatteryLow, SignalWeak, WaterPressureLow
from rules.sensor.link import GatewayDown, WrongClock
from rules.sensor.silence import Silent
from rules.sensor.value import Implausible, Jump, Stuck
from rules.water.balance import Balance
from rules.water.closed import RunningClosed
from rules.water.flow import Burst, NeverZero
from rules.water.meter import Backflow, OverBudget, Stands
from rules.water.night_flow import NightExcess
from rules.water.rise import Rise


@functools.cache
def catalogue() -> Mapping[str, AnyRule]:
    """All rules by name, in a fixed order. A rule keeps nothing of a subject, so that all engines share these."""
    every: list[AnyRule] = [
        Burst(),
        RunningClosed(),
        NeverZero(),
        NightExcess(),
        Rise(),
        Balance(),
        ThawWatch(),
        WaterDetected(),
        Backflow(),
        Stands(),
        OverBudget(),
        WaterPressureLow(),
        PipeCold(),
        StillWater(),
        RoomCold(),
        AboveLimit(),
        Drift(),
        Failing(),
        TooCold(),
        DoorOpen(),
        PowerLost(),
        ProbePair(),
        CalibrationDue(),
        LeftOn(),
        BaseloadRise(),
        Overload(),
        Voltage(),
        Phases(),
        Residual(),
        ResidualRise(),
        CableHot(),
        Outage(),
        CrossCheck(),
        GasDetected(),
        GasClosed(),
        HeatingFailed(),
        SupplyTemperature(),
        BoilerPressure(),
        Silent(),
        GatewayDown(),
        Implausible(),
        Stuck(),
        Jump(),
        WrongClock(),
        BatteryLow(),
        SignalWeak(),
    ]
    return MappingProxyType({rule.name: rule for rule in every})
