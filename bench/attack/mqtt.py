"""Attacks over MQTT, by a device that may publish."""

from __future__ import annotations

import os
from collections.abc import Iterable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.attack.service import Service

_WAIT_S = 120.0
_WORDS, _TOPICS, _LARGE, _JUNK = 200, 4_000, 1_000, 5_000


def words(service: Service) -> str:
    """Topics of 540 characters that are one row of ambiguous words; the first froze the service for good once."""
    topic = "watermeter/" + "barometer" * 60
    return _publish(service, ((f"{topic}{number}q/json", b"{}") for number in range(_WORDS)))


def topics(service: Service) -> str:
    """4,000 topics of 60 KB."""
    return _publish(service, ((f"{number}/" + "t" * 60_000, b"1") for number in range(_TOPICS)))


def large(service: Service) -> str:
    """1,000 messages of nearly a megabyte."""
    payload = os.urandom(1_000_000)
    return _publish(service, ((f"large/{number % 10}", payload) for number in range(_LARGE)))


def junk(service: Service) -> str:
    """5,000 unreadable messages of 64 KiB."""
    payload = os.urandom(64 * 1024)
    return _publish(service, ((f"zigbee2mqtt/junk{number % 50}", payload) for number in range(_JUNK)))


def _publish(service: Service, messages: Iterable[tuple[str, bytes]]) -> str:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(20)
    client.connect("127.0.0.1", service.mqtt_port)
    client.loop_start()
    taken = 0
    for topic, payload in messages:
        info = client.publish(topic, payload, qos=1)
        try:
            info.wait_for_publish(_WAIT_S)
        except (RuntimeError, ValueError):
            break
        taken += info.is_published()
    client.disconnect()
    client.loop_stop()
    return f"{taken} taken by the broker"
