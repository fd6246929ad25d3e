"""Brokers that are not ours: where and how site.yaml says to connect."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from campus.broker import Broker
from ingest.mqtt.connection import BrokerAddress

_PROTOCOLS = {"auto": 0, "5": 5, "3.1.1": 4}


def outside_address(settings: Broker, site_id: str, name: str) -> BrokerAddress:
    """Where and how to connect to a broker that is not ours; of ours, all but where and as whom."""
    common: dict[str, Any] = {
        "client_id": f"{settings.client_id}-{site_id}",
        "username": settings.username,
        "password": settings.password.get_secret_value(),
        "name": name,
        "receive_maximum": settings.receive_maximum,
        "session_expiry_s": settings.session_expiry_h * 3600,
    }
    if settings.embedded:
        return BrokerAddress("", 0, **common)
    url = urlsplit(settings.url)
    tls = url.scheme == "mqtts"
    return BrokerAddress(
        url.hostname or "",
        url.port or (8883 if tls else 1883),
        tls=tls,
        ca_file=settings.ca_file,
        cert_file=settings.tls_cert_file,
        key_file=settings.tls_key_file,
        protocol=_PROTOCOLS[settings.protocol],
        **common,
    )
