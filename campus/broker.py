"""Where MQTT comes from: the broker we run ourselves, or others."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

#: the most messages a broker may have on its way to us without our acknowledgement (MQTT 5, 3.1.2.11.3)
RECEIVE_MAXIMUM = 10_000

#: on which devices are told what to do, format by format; what others measure is on none of them
COMMAND_TOPICS = (
    "cmnd/#",
    "+/cmnd/+",
    "+/rpc",
    "+/command",
    "+/command/#",
    "shellies/+/command",
    "shellies/+/+/+/command",
    "zigbee2mqtt/+/set",
    "zigbee2mqtt/+/get",
    "zigbee2mqtt/bridge/request/#",
    "homeassistant/status",
    "homie/+/+/+/set",
    "+/+/+/command",
    "application/+/device/+/command/+",
    "gateway/+/command/+",
    "+/gateway/+/command/+",
    "/sys/+/+/thing/service/#",
    "/sys/+/+/thing/event/+/post_reply",
    "v1/devices/me/rpc/request/+",
    "v1/gateway/rpc",
)


class Broker(BaseModel):
    """``embedded``, or ``mqtt://host:port`` / ``mqtts://host:port``.

    *tls_cert_file* and *tls_key_file* show who we are to a broker that asks for it, *ca_file* is the authority that signed
    the broker's own certificate where that is not a public one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(default="embedded", pattern=r"^(embedded|mqtts?://[^/\s]+)$")
    username: str = ""
    password: SecretStr = SecretStr("")
    client_id: str = "shouyuan"
    ca_file: str = ""
    tls_cert_file: str = ""
    tls_key_file: str = ""
    #: ``auto`` tries 5 first
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    #: how long the broker keeps messages for us while we are away; MQTT 5 only, as 3.1.1 leaves it to the broker
    session_expiry_h: int = Field(default=7 * 24, ge=1, le=365 * 24)
    receive_maximum: int = Field(default=RECEIVE_MAXIMUM, ge=10, le=65_535)
    #: of the embedded broker: where devices may connect; loopback unless credentials are set
    listen: str = "127.0.0.1:1883"
    #: of the embedded broker: its certificate and key, for devices that connect with TLS
    listen_tls_cert_file: str = ""
    listen_tls_key_file: str = ""
    #: of the embedded broker: what devices without an account of their own may subscribe to
    listen_subscribe: tuple[str, ...] = COMMAND_TOPICS

    @property
    def embedded(self) -> bool:
        """Whether we run it ourselves."""
        return self.url == "embedded"
