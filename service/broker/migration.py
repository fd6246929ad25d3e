"""From the guessable session of older versions to our own: what waits in the old one is taken first, then it is ended.

All of it happens on a port that no device knows, so that nothing can arrive between the two sessions, nor in both.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import msgspec
import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from campus.clock import steady_ms
from ingest.message import Message
from ingest.mqtt.burst import Burst
from ingest.mqtt.connection import BrokerAddress, Connection
from service.errors import BrokerUnavailable

log = structlog.get_logger()

_CONNECT_S = 15.0
#: nothing new for so long, and everything acknowledged: the old session is empty
_QUIET_MS = 1_500
#: an old session that cannot be emptied in this time (a journal that is full) is kept in use until the next start
_MOST_MS = 5 * 60_000


class _Counting:
    """Hands bursts on, and knows how many of their messages were not acknowledged yet."""

    def __init__(self, put: Callable[[Burst], object]) -> None:
        self._put = put
        self._lock = threading.Lock()
        self.taken = self.acknowledged = 0

    def __call__(self, burst: Burst) -> None:
        with self._lock:
            self.taken += len(burst.messages)
        give = burst.acknowledge

        def acknowledge(messages: Sequence[Message]) -> None:
            if give is not None:
                give(messages)
            with self._lock:
                self.acknowledged += len(messages)

        self._put(msgspec.structs.replace(burst, acknowledge=acknowledge))


def move_session(
    old: BrokerAddress,
    new: BrokerAddress,
    topics: Sequence[str],
    put: Callable[[Burst], object],
    *,
    now_ms: Callable[[], int],
) -> bool:
    """Empties and ends the session of *old*, and opens that of *new* on *topics*; False where it could not be emptied."""
    counting = _Counting(put)
    leaving = Connection(old, (), counting, now_ms=now_ms)
    leaving.start()
    try:
        if not _wait(lambda: leaving.listening, round(_CONNECT_S * 1000)):
            raise BrokerUnavailable(f"{old.host}:{old.port}", f"the session {old.client_id} did not open")
        emptied = _wait(_quiet(counting), _MOST_MS)
    finally:
        leaving.stop()
    if not emptied:
        log.error("broker.session_not_moved", messages=counting.taken - counting.acknowledged)
        return False
    coming = Connection(new, topics, put, now_ms=now_ms)
    coming.start()
    try:
        _wait(lambda: coming.listening, round(_CONNECT_S * 1000))
    finally:
        coming.stop()
    _end(old)
    log.info("broker.session_moved", messages=counting.taken)
    return True


def _quiet(counting: _Counting) -> Callable[[], bool]:
    last, since_ms = -1, steady_ms()

    def quiet() -> bool:
        nonlocal last, since_ms
        if counting.taken != last or counting.acknowledged < counting.taken:
            last, since_ms = counting.taken, steady_ms()
        return steady_ms() - since_ms >= _QUIET_MS

    return quiet


def _end(address: BrokerAddress) -> None:
    """A connection with a clean session ends the kept one of that client id."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=address.client_id,
        clean_session=True,
        protocol=MQTTProtocolVersion.MQTTv311,
    )
    client.username_pw_set(address.username, address.password)
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect(address.host, address.port)
    client.loop_start()
    connected.wait(_CONNECT_S)
    client.disconnect()
    client.loop_stop()


def _wait(condition: Callable[[], bool], most_ms: int) -> bool:
    pause = threading.Event()
    until_ms = steady_ms() + most_ms
    while not condition():
        if steady_ms() > until_ms:
            return False
        pause.wait(0.02)
    return True
