"""How to read the replies of Modbus devices behind a transparent DTU (透传): which registers of a reply mean what.

A reply does not say which registers were asked for. It is told from others by the unit that answers, the function and the
number of registers, all of which the DTU's own polling list holds.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: a reply of the functions 3 and 4 holds at most so many registers, one of 1 and 2 so many bits (Modbus application
#: protocol 1.1b3, 6.1 to 6.4)
MOST_REGISTERS = 125
MOST_BITS = 2000

RegisterType = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bit"]


class ModbusValue(BaseModel):
    """One value of a reply.

    *offset* counts registers from 0 within the reply, or bits where the function is 1 or 2; *bit* is the place in the
    register of a value of type ``bit``, 0 for the lowest. *order* is how the bytes of a 32-bit value ABCD follow each other.
    *invalid* are raw numbers by which the device says that it has no value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    offset: int = Field(ge=0, lt=MOST_BITS)
    type: RegisterType = "uint16"
    order: Literal["ABCD", "CDAB", "BADC", "DCBA"] = "ABCD"
    bit: int = Field(default=0, ge=0, le=15)
    quantity: str
    unit: str = ""
    channel: str = ""
    scale: float = Field(default=1.0, allow_inf_nan=False)
    invalid: list[int] = Field(default_factory=list)

    @property
    def registers(self) -> int:
        """How many registers the value fills."""
        return {"32": 2, "64": 4}.get(self.type[-2:], 1)


class ModbusReply(BaseModel):
    """A reply by *unit* and *function* (and the count of *registers*, where several have those in common).

    *suffix* parts the devices behind one DTU: their address is the mapping's, a slash, and the suffix.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: int = Field(default=1, ge=0, le=255)
    function: Literal[1, 2, 3, 4] = 3
    registers: int = Field(default=0, ge=0, le=MOST_REGISTERS)
    suffix: str = ""
    values: list[ModbusValue] = Field(min_length=1)

    @model_validator(mode="after")
    def _values_fit(self) -> ModbusReply:
        of_bits = self.function in {1, 2}
        most = self.registers or MOST_REGISTERS
        for one in self.values:
            if of_bits and one.type != "bit":
                raise ValueError(
                    f"type {one.type} at offset {one.offset}; function {self.function} gives bits"
                )
            if not of_bits and one.offset + one.registers > most:
                raise ValueError(
                    f"offset {one.offset} of type {one.type} ends behind {most} registers; offsets count from 0 "
                    "within the reply"
                )
        return self


class ModbusMapping(BaseModel):
    """The replies of one kind of DTU.

    *address* is ``topic:N`` for the N-th topic segment (from 0), or a path where the message is JSON; *payload* is then the
    path of the hexadecimal text, and empty where the message is nothing but the reply, in bytes or hexadecimal.
    *framing* ``rtu`` ends each reply with its CRC, ``tcp`` begins it with the MBAP header.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["modbus"]
    address: str = Field(min_length=1)
    payload: str = ""
    framing: Literal["rtu", "tcp"] = "rtu"
    replies: list[ModbusReply] = Field(min_length=1)
