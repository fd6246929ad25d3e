"""Publishes a simulated campus over MQTT, as its devices would: in real time, or faster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from campus.campus import Campus
from campus.clock import SECOND_MS
from simulators.campus.simulated import Report
from simulators.errors import BrokerLost
from simulators.formats.contract import Publication

log = structlog.get_logger()

_TICK_S = 0.25
#: messages the broker has not acknowledged yet; beyond, the simulated time waits for it
_MOST_WAITING = 5_000
_LAST_ANSWERS_S = 2.0


class FastClock:
    """A campus's clock that starts at *start_ms* when it is first looked at, and runs *speed* times as fast as the wall's."""

    def __init__(self, start_ms: int, speed: float) -> None:
        self._start_ms = start_ms
        self._speed = speed
        self._began_s: float | None = None

    def __call__(self) -> int:
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s
        return self._start_ms + round((now_s - self._began_s) * self._speed * SECOND_MS)


class Source(Protocol):
    """What speaks: a :class:`simulators.campus.world.World`, or one on a stage. *seed* tells two clients of a broker apart."""

    @property
    def campus(self) -> Campus: ...

    @property
    def seed(self) -> int: ...

    def everyone(self, time_ms: int) -> Iterable[Report]: ...

    def run(self, from_ms: int, to_ms: int) -> Iterable[Report]: ...


class Publisher:
    """A client of its own that sends each device's messages when they are due, at QoS 1, until *until_ms*.

    *now_ms* is the campus's clock; one that runs faster than the wall makes a faster campus, whose messages carry its
    time. Extra publications (a drill's) come from *extra*, asked each tick with the half-open span of time since the last.
    """

    def __init__(
        self,
        world: Source,
        *,
        host: str,
        port: int,
        now_ms: Callable[[], int],
        username: str = "",
        password: str = "",
        tls: bool = False,
        ca_file: str = "",
        certificate: tuple[str, str] = ("", ""),
        until_ms: int | None = None,
        extra: Callable[[int, int], Iterable[Publication]] = lambda _after, _until: (),
    ) -> None:
        self._world = world
        self._site = world.campus.site
        self._host, self._port = host, port
        self._now_ms = now_ms
        self._until_ms = until_ms
        self._extra = extra
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"shouyuan-simulator-{world.seed}", clean_session=True
        )
        self._client.max_inflight_messages_set(1_000)
        self._client.on_publish = self._on_publish
        self._client.on_connect = self._on_connect
        if username:
            self._client.username_pw_set(username, password)
        if tls:
            cert_file, key_file = certificate
            self._client.tls_set(ca_file or None, cert_file or None, key_file or None)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self.published = 0
        self.acknowledged = 0
        #: how far the campus has come
        self.position_ms = 0
        #: why it ended before its time
        self.failure: Exception | None = None

    def start(self) -> None:
        """Connects in the background and publishes one first message of every device at once."""
        self._client.connect_async(self._host, self._port)
        self._client.loop_start()
        self._thread.start()

    def stop(self) -> None:
        """Ends after the tick it is in; a connected broker gets a moment for its last acknowledgements."""
        self._stopping.set()
        self._thread.join(timeout=2)
        deadline = time.monotonic() + _LAST_ANSWERS_S
        while (
            self._client.is_connected() and self.acknowledged < self.published and time.monotonic() < deadline
        ):
            time.sleep(0.02)
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def running(self) -> bool:
        """Whether there is anything left to publish, or to be acknowledged."""
        return self.failure is None and (self._thread.is_alive() or self.acknowledged < self.published)

    def _run(self) -> None:
        try:
            self._publish()
        except Exception as error:  # told by whoever started us; a thread has no caller
            self.failure = error
            log.exception("simulator.failed")

    def _publish(self) -> None:
        last_ms = self.position_ms = self._now_ms()
        for report in self._world.everyone(last_ms):
            self._send(report.publications(self._site))
        until_ms = self._until_ms
        while until_ms is None or last_ms < until_ms:
            if self._stopping.wait(_TICK_S):
                return
            now_ms = self._now_ms() if until_ms is None else min(self._now_ms(), until_ms)
            if now_ms <= last_ms:
                continue
            for report in self._world.run(last_ms, now_ms):
                self._send(report.publications(self._site))
                self.position_ms = max(self.position_ms, report.sent_ms)
                if self._stopping.is_set():
                    return
            self._send(self._extra(last_ms, now_ms))
            last_ms = self.position_ms = now_ms

    def _send(self, publications: Iterable[Publication]) -> None:
        for one in publications:
            while self.published - self.acknowledged >= _MOST_WAITING and not self._stopping.is_set():
                time.sleep(0.01)
            # Queued by the client while the broker is away; QoS 1 sees it through.
            self._client.publish(one.topic, one.payload, qos=1)
            self.published += 1

    def _on_connect(
        self,
        _client: mqtt.Client,
        _user: object,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _more: object,
    ) -> None:
        if reason.is_failure:
            self.failure = BrokerLost(f"{self._host}:{self._port}", f"refused the connection: {reason}")

    def _on_publish(
        self, _client: mqtt.Client, _user: object, _mid: int, _reason: ReasonCode, _more: object
    ) -> None:
        self.acknowledged += 1
