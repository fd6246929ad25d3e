"""site.yaml as typed settings: places, tariffs, broker, store, sources, channels, routes.

Every secret can be given as ``KEY: ${ENVIRONMENT_VARIABLE}`` or through ``KEY_file``; the folder's loader
resolves both before these models see the value.
"""

from __future__ import annotations

import zoneinfo
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from campus.broker import Broker
from campus.device import FieldMapping
from campus.modbus import ModbusMapping


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Building(_Settings):
    """A building; *use* chooses its opening hours; *heated* false makes cold rules stricter."""

    id: str = Field(pattern=r"^[\w.\-]{1,64}$")
    name: str
    use: Literal["teaching", "dormitory", "canteen", "boiler_house", "office", "sports", "other"] = "teaching"
    heated: bool = True


class Tariffs(_Settings):
    """Prices for money in evidence; 0 means not known, and then no yuan is shown."""

    water_yuan_m3: float = Field(default=0, ge=0)
    electricity_yuan_kwh: float = Field(default=0, ge=0)
    gas_yuan_m3: float = Field(default=0, ge=0)


class Source(_Settings):
    """Messages of one topic filter: which decoder reads them (``auto`` chooses by topic and shape)."""

    topic: str
    decoder: str = "auto"
    #: of the decoders ``generic`` and ``raw_modbus``: the mapping's name
    mapping: str = ""
    #: the name of the one broker it is subscribed at; empty for all of them
    broker: str = ""


class TimestampFormat(_Settings):
    """Where a generic message keeps its time, and how: ``iso``, ``epoch`` or a strptime pattern."""

    path: str
    format: str = "iso"


class GenericMapping(_Settings):
    """How to read a JSON message nobody wrote a decoder for.

    Paths are dotted with ``[n]`` or ``[*]`` for arrays (``data.values[0].v``). *address* is a path, or
    ``topic:N`` for the N-th topic segment (from 0).
    """

    kind: Literal["generic"] = "generic"
    address: str
    #: path of the list of records when one message carries several devices; empty for one record
    records: str = ""
    time: TimestampFormat | None = None
    fields: dict[str, FieldMapping]


Mapping = Annotated[GenericMapping | ModbusMapping, Field(discriminator="kind")]


class ConsoleChannel(_Settings):
    kind: Literal["console"]


class PhonePageChannel(_Settings):
    """A page of this service that shows messages as a phone would; for demonstrations and drills."""

    kind: Literal["phone_page"]


class WeComBotChannel(_Settings):
    kind: Literal["wecom_bot"]
    key: SecretStr
    base_url: str = "https://qyapi.weixin.qq.com"
    per_minute: int = Field(default=20, ge=1, le=20)


class AliyunSmsChannel(_Settings):
    kind: Literal["sms_aliyun"]
    access_key_id: str
    access_key_secret: SecretStr
    sign_name: str
    template_code: str
    base_url: str = "https://dysmsapi.aliyuncs.com"


class TencentSmsChannel(_Settings):
    kind: Literal["sms_tencent"]
    secret_id: str
    secret_key: SecretStr
    sdk_app_id: str
    sign_name: str
    template_id: str
    region: str = "ap-guangzhou"
    base_url: str = "https://sms.tencentcloudapi.com"
    #: new accounts allow 6 characters a variable (INTEGRATIONS 2.2)
    variable_characters: int = Field(default=6, ge=1, le=35)


Channel = Annotated[
    ConsoleChannel | PhonePageChannel | WeComBotChannel | AliyunSmsChannel | TencentSmsChannel,
    Field(discriminator="kind"),
]


class Route(_Settings):
    """Who is told of what: alerts of *severity* or worse (and *rules* prefixes, where given) go to *channels*.

    *to*: ``group`` for channels that reach a group, ``duty`` for whoever the roster names, or ids of people
    or roles. *fallback* channels are tried in order when one of *channels* fails for good.
    """

    severity: Literal["notice", "warning", "critical"] = "warning"
    rules: list[str] = Field(default_factory=list)
    channels: list[str]
    to: list[str] = Field(default_factory=lambda: ["group"])
    fallback: list[str] = Field(default_factory=list)
    #: resolved alerts are told too
    tell_resolved: bool = True


class Site(_Settings):
    """All of site.yaml."""

    id: str = Field(pattern=r"^[\w\-]{1,64}$")
    name: str
    timezone: str = "Asia/Shanghai"
    language: Literal["zh_CN", "en"] = "zh_CN"
    buildings: list[Building] = Field(default_factory=list)
    tariffs: Tariffs = Tariffs()
    broker: Broker = Broker()
    #: several brokers, by name, in place of the one
    brokers: dict[str, Broker] = Field(default_factory=dict)
    #: a URL as :mod:`campus.store_url` says
    store: str = "embedded"
    #: of the embedded store: readings are kept so many days, 0 for ever
    retention_days: int = Field(default=0, ge=0)
    #: and what each hour came to so many days, 0 for ever
    rollup_retention_days: int = Field(default=0, ge=0)
    journal_quota_mb: int = Field(default=2048, ge=1)
    #: for messages that nobody could read or whose device is not registered; the oldest go first
    #: how often the self-test alarm goes the whole road, 0 for never
    selftest_s: int = Field(default=300, ge=0)
    quarantine_quota_mb: int = Field(default=256, ge=1)
    sources: list[Source] = Field(default_factory=list)
    #: of kind ``generic`` where they do not say
    mappings: dict[str, Mapping] = Field(default_factory=dict)
    channels: dict[str, Channel] = Field(default_factory=dict)
    routes: list[Route] = Field(default_factory=list)
    #: the address people reach the page at, for links in messages
    public_url: str = ""

    @field_validator("mappings", mode="before")
    @classmethod
    def _generic_by_default(cls, mappings: Any) -> Any:
        if not isinstance(mappings, dict):
            return mappings
        return {
            name: {"kind": "generic", **one} if isinstance(one, dict) else one
            for name, one in mappings.items()
        }

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                f"time zone {name!r} is not known; expected one such as Asia/Shanghai"
            ) from error
        return name

    @field_validator("rollup_retention_days")
    @classmethod
    def _hours_outlive_readings(cls, days: int, info: ValidationInfo) -> int:
        readings = info.data.get("retention_days") or 0
        if days and (not readings or days < readings):
            raise ValueError(f"{days} days; expected 0, or at least retention_days, which must then be set")
        return days

    @property
    def all_brokers(self) -> dict[str, Broker]:
        """Every broker by its name, which is empty where there is only one."""
        return self.brokers or {"": self.broker}

    @property
    def heard_in_part(self) -> dict[str, tuple[str, ...]]:
        """The brokers at which not every topic is subscribed to, with the filters that are; at our own every topic is.

        No filter at all stands for those of every known format.
        """
        return {
            name or broker.url: tuple(one.topic for one in self.sources if one.broker in {"", name})
            for name, broker in self.all_brokers.items()
            if not broker.embedded
        }

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The site's time zone."""
        return zoneinfo.ZoneInfo(self.timezone)

    def building(self, building_id: str) -> Building | None:
        """The building of that id, if there is one."""
        return next((one for one in self.buildings if one.id == building_id), None)
