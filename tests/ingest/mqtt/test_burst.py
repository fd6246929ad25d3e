"""The line between receiver and journal is bounded by messages and by bytes."""

from __future__ import annotations

import threading

from tests_support import wait_until

from ingest.message import Message
from ingest.mqtt.burst import Burst, Waiting

MB = 1_000_000


def burst(payload_bytes, count=1):
    return Burst([Message("t", b"x" * payload_bytes, 0)] * count)


def test_large_messages_wait_outside():
    """Whoever brings more bytes than there is room for waits until some were taken, however few messages they are."""
    line = Waiting(20_000, 3 * MB)
    put = []

    def bring():
        for number in range(6):
            line.put(burst(MB))
            put.append(number)

    thread = threading.Thread(target=bring, daemon=True)
    thread.start()
    wait_until(lambda: len(put) == 2)
    assert line.size_bytes <= 3 * MB
    taken = 0
    while taken < 6:
        taken += len(line.take(1_000, 8 * MB, timeout_s=30, gather_s=0))
        assert line.size_bytes <= 3 * MB
    thread.join(30)
    assert (line.size_bytes, len(line)) == (0, 0)


def test_a_group_is_bounded_by_bytes():
    """What is judged and committed together is at most about so many bytes, and never nothing."""
    line = Waiting(20_000, 100 * MB)
    for _ in range(5):
        line.put(burst(MB))
    assert len(line.take(1_000, 2 * MB, timeout_s=30, gather_s=0)) == 2
    assert len(line.take(1_000, 1, timeout_s=30, gather_s=0)) == 1
    assert len(line.take(1_000, 100 * MB, timeout_s=30, gather_s=0)) == 2


def test_more_than_all_the_room_goes_in_alone():
    """A burst larger than the line does not wait for ever."""
    line = Waiting(10, 1_000)
    assert line.put(burst(MB, count=20))
    assert len(line) == 20
