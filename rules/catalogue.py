"""Every rule there is."""

from __future__ import annotations

from rules.boiler import GasClosed, HeatingFailed
from rules.cold import AboveLimit
from rules.cold_learned import Drift, Failing
from rules.cold_power import CalibrationDue, PowerLost, ProbePair
from rules.electricity import LeftOn
from rules.electricity_supply import Outage, Phases
from rules.electricity_usual import BaseloadRise, CrossCheck, ResidualRise
from rules.limits_cold import DoorOpen, TooCold
from rules.limits_electricity import CableHot, Overload, Residual, Voltage
from rules.limits_heat import BoilerPressure, GasDetected, RoomCold, SupplyTemperature, WaterDetected
from rules.limits_sensor import BatteryLow, SignalWeak, WaterPressureLow
from rules.pipe import PipeCold
from rules.rule import Rule
from rules.sensor import Silent
from rules.sensor_link import GatewayDown, WrongClock
from rules.sensor_value import Implausible, Jump, Stuck
from rules.thaw import StillWater, ThawWatch
from rules.water import Burst, NeverZero
from rules.water_balance import Balance
from rules.water_closed import RunningClosed
from rules.water_meter import Backflow, OverBudget, Stands
from rules.water_night import NightExcess
from rules.water_rise import Rise


def catalogue() -> dict[str, Rule]:
    """All rules by name, in a fixed order."""
    every: list[Rule] = [
        *(Burst(), RunningClosed(), NeverZero(), NightExcess(), Rise(), Balance(), ThawWatch()),
        *(WaterDetected(), Backflow(), Stands(), OverBudget(), WaterPressureLow()),
        *(PipeCold(), StillWater(), RoomCold()),
        *(
            AboveLimit(),
            Drift(),
            Failing(),
            TooCold(),
            DoorOpen(),
            PowerLost(),
            ProbePair(),
            CalibrationDue(),
        ),
        *(LeftOn(), BaseloadRise(), Overload(), Voltage(), Phases(), Residual(), ResidualRise(), CableHot()),
        *(Outage(), CrossCheck()),
        *(GasDetected(), GasClosed(), HeatingFailed(), SupplyTemperature(), BoilerPressure()),
        *(Silent(), GatewayDown(), Implausible(), Stuck(), Jump(), WrongClock(), BatteryLow(), SignalWeak()),
    ]
    return {rule.name: rule for rule in every}
