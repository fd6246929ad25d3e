"""A device as the register (财产登记) knows it."""

from __future__ import annotations

import enum

from pydantic import BaseModel, ConfigDict, Field

#: of an id; not of dots alone, which mean a folder in a path
ID_PATTERN = r"^[\w.\-]*[\w\-][\w.\-]*$"
ID_CHARACTERS = 64


class Kind(enum.StrEnum):
    """What sort of thing a device is."""

    WATER_METER = "water_meter"
    ELECTRICITY_METER = "electricity_meter"
    GAS_METER = "gas_meter"
    COLD_STORAGE = "cold_storage"
    PIPE_PROBE = "pipe_probe"
    CLIMATE = "climate"
    BOILER = "boiler"
    LEAK_DETECTOR = "leak_detector"
    GATEWAY = "gateway"


class Role(enum.StrEnum):
    """What a device measures at its place."""

    NONE = ""
    PIPE_WALL = "pipe_wall"
    PIPE_SPACE = "pipe_space"
    CABINET_AIR = "cabinet_air"
    PRODUCT = "product"
    OUTDOOR = "outdoor"
    ROOM = "room"
    CABLE = "cable"
    HEATING_SUPPLY = "heating_supply"
    HEATING_RETURN = "heating_return"


class Place(BaseModel):
    """Where something stands. *site* and *building* are ids of site.yaml; the rest is free text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    site: str
    building: str = ""
    floor: str = ""
    room: str = ""


class FieldMapping(BaseModel):
    """How one field of a source's message becomes a series: ``WF`` → water_flow in L/min on channel ''."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quantity: str
    unit: str = ""
    channel: str = ""
    scale: float = 1.0


class MeterSwap(BaseModel):
    """A meter replaced at *time_ms*: the old one's last index, the new one's first, in the canonical unit.

    Both as the device reports them: where a logger goes on counting its own pulses, a new dial changes nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_ms: int
    end: float = Field(ge=0)
    start: float = Field(default=0, ge=0)


class Device(BaseModel):
    """One row of the register.

    *address* is the name the source itself uses (DevEUI, friendly name, topic segment, meter number);
    *pulse_weight* is what one pulse means in the canonical unit (m3, kWh); *register_modulus* is the value
    at which the register starts again at 0 (10^digits in the canonical unit), 0 for unknown;
    *most_per_hour* is what the meter can pass at most: Q4 in m3/h (1.25 x Q3, ISO 4064), or the connected kW;
    0 for unknown. *swaps* are the replacements told in meter_swaps.csv, oldest first;
    *interval_s* the expected reporting interval, 0 to learn it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=ID_PATTERN, max_length=ID_CHARACTERS)
    name: str
    kind: Kind
    place: Place
    role: Role = Role.NONE
    profile: str = ""
    address: str = ""
    decoder: str = ""
    #: maker's model, where a LoRaWAN network server passes on the bytes only
    model: str = ""
    interval_s: float = Field(default=0, ge=0)
    parent: str = ""
    gateway: str = ""
    register_modulus: float = Field(default=0, ge=0)
    pulse_weight: float = Field(default=0, ge=0)
    most_per_hour: float = Field(default=0, ge=0)
    rated_current_a: float = Field(default=0, ge=0)
    calibration_offset: float = 0
    calibration_date: str = ""
    asset_number: str = ""
    keeper: str = ""
    fields: dict[str, FieldMapping] = Field(default_factory=dict)
    swaps: tuple[MeterSwap, ...] = ()
