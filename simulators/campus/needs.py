"""What each kind of fault can happen to."""

from __future__ import annotations

from campus.quantity import Quantity
from simulators.campus.simulated import Simulated
from simulators.faults import fault as faults
from simulators.faults.fault import Fault
from simulators.physics.cabinet import Cabinet
from simulators.physics.pipe import Pipe
from simulators.physics.power import Circuit
from simulators.physics.water import ParentMeter, WaterMeter

#: formats in which the device's own clock stamps the values
_OWN_CLOCK = {"tasmota", "aliyun_alink", "generic"}


def fits(fault: Fault, one: Simulated) -> bool:
    """Whether a fault can happen to a device."""
    if not isinstance(one.model, _model(fault)[0]):
        return False
    match fault, one.model:
        case faults.Leak(), ParentMeter():  # a leak is in a building, unless the parent meter itself is named
            return bool(fault.place.device)
        case faults.EarthLeakage(), Circuit() as circuit:
            return circuit.watches_earth
        case ((faults.LooseNeutral() | faults.PhaseLost()), Circuit() as circuit):
            return circuit.three_phase and _tells_voltage(one)
        case faults.Voltage(), _:
            return _tells_voltage(one)
        case faults.LowBattery(), _:
            return not one.mains
        case _:
            return True


def _tells_voltage(one: Simulated) -> bool:
    """A school's own mapping carries what it lists; the formats of makers carry voltages."""
    return one.device.decoder != "generic" or any(
        field.quantity == Quantity.VOLTAGE for field in one.device.fields.values()
    )


def needed(fault: Fault) -> str:
    """What a fault needs, in words."""
    return _model(fault)[1]


def _model(fault: Fault) -> tuple[type[object], str]:  # noqa: PLR0911 - one line a kind
    match fault:
        case faults.Leak() | faults.BlockedMeter() | faults.MeterSwap():
            return WaterMeter, "a water meter"
        case faults.Draught():
            return Pipe, "a probe on a pipe's wall"
        case faults.Compressor() | faults.DefrostStuck() | faults.DoorOpen():
            return Cabinet, "a cold storage"
        case faults.EarthLeakage():
            return Circuit, "an electricity meter with residual current"
        case faults.LooseNeutral() | faults.PhaseLost():
            return Circuit, "a three-phase electricity meter"
        case faults.BreakerTrip() | faults.LeftOn() | faults.Overload() | faults.Voltage():
            return Circuit, "an electricity meter"
        case faults.LowBattery():
            return object, "a device with a battery"
        case faults.WrongClock():
            return object, f"a device of a format with its own clock ({', '.join(sorted(_OWN_CLOCK))})"
        case _:
            return object, "a device"
