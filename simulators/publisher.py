"""Publishes a simulated campus over MQTT in real time, as its devices would."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from simulators.formats.contract import Publication
from simulators.world import World

log = structlog.get_logger()

_TICK_S = 0.25


class Publisher:
    """A client of its own that sends each device's messages when they are due, at QoS 1.

    Extra publications (a drill's) come from *extra*, asked each tick with the half-open span of time since the last.
    """

    def __init__(
        self,
        world: World,
        *,
        host: str,
        port: int,
        now_ms: Callable[[], int],
        username: str = "",
        password: str = "",
        extra: Callable[[int, int], Iterable[Publication]] = lambda _after, _until: (),
    ) -> None:
        self._world = world
        self._site = world.campus.site
        self._host, self._port = host, port
        self._now_ms = now_ms
        self._extra = extra
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="shouyuan-simulator", clean_session=True
        )
        if username:
            self._client.username_pw_set(username, password)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self.published = 0

    def start(self) -> None:
        """Connects in the background and publishes one first message of every device at once."""
        self._client.connect_async(self._host, self._port)
        self._client.loop_start()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=2)
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        last_ms = self._now_ms()
        for report in self._world.everyone(last_ms):
            self._send(report.publications(self._site))
        while not self._stopping.wait(_TICK_S):
            now_ms = self._now_ms()
            if now_ms <= last_ms:
                continue
            for report in self._world.run(last_ms, now_ms):
                self._send(report.publications(self._site))
            self._send(self._extra(last_ms, now_ms))
            last_ms = now_ms

    def _send(self, publications: Iterable[Publication]) -> None:
        for one in publications:
            # Queued by the client while the broker is away; QoS 1 sees it through.
            self._client.publish(one.topic, one.payload, qos=1)
            self.published += 1
