"""The people who are told, and what each may do."""

from __future__ import annotations

import enum

from pydantic import BaseModel, ConfigDict, Field


class PersonRole(enum.StrEnum):
    """What a person is to the school's logistics."""

    DIRECTOR = "director"
    DUTY = "duty"
    ELECTRICIAN = "electrician"
    PLUMBER = "plumber"
    CANTEEN = "canteen"
    OBSERVER = "observer"


class Person(BaseModel):
    """One row of people.csv. *phone* is a mainland mobile number; *wecom_id* the person's id in WeCom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    role: PersonRole = PersonRole.DUTY
    phone: str = Field(default="", pattern=r"^(1\d{10})?$")
    wecom_id: str = ""


class Shift(BaseModel):
    """One row of roster.csv (值班表): who is on duty from one moment to another, half open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: str
    from_ms: int
    to_ms: int
