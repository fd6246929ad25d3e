"""Load: realistic messages at QoS 1 as fast as a broker takes them, from one core, so that it never is what limits.

Each device's message is encoded once. A round of them is one block of memory in which only the packet identifiers and the
digits of the values change from block to block; a sliding window bounds what is not acknowledged.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from campus.clock import SECOND_MS, from_ms
from simulators.campus.world import World
from simulators.formats.contract import Publication
from simulators.output.broker_url import BrokerUrl
from simulators.output.wire import Wire, identifier_at, publish_frame

#: packet identifiers are 1 to 65,535; far fewer in flight are enough on any network
WINDOW = 16_000
_IDENTIFIERS = 65_535
#: messages written at once, and how much time of a given rate they may stand for
_BLOCK_MESSAGES, _BLOCK_S = 400, 0.01
_PATIENCE_S = 30.0
#: fields that count up, and whose digits may all move; of any other number only the last digit does
_COUNTER = re.compile(
    rb'"(Total|total_m3|total_act|pulse|C1|Ep|energy|water_m3|kwh)":(?:\{"value":)?([1-9]\d*\.?\d*)'
)
_GAUGE = re.compile(
    rb'"(temperature|Temperature|temp|Power|apower|power|total_act_power|P|kw)":(?:\{"value":)?-?(\d+\.\d+)'
)
_ISO = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?")
_EPOCH_MS = re.compile(rb"\b1\d{12}\b")


class Template(NamedTuple):
    """One device's PUBLISH frame and where in it something changes."""

    frame: bytes
    identifier: int
    #: start and end of digits, and whether they count up
    digits: tuple[tuple[int, int, bool], ...]
    #: start and end of a time, and its zone (None for epoch milliseconds)
    times: tuple[tuple[int, int, dt.tzinfo | None], ...]


class Measured(NamedTuple):
    """What has been done so far."""

    sent: int
    acknowledged: int
    seconds: float
    sent_bytes: int
    cpu_s: float


def templates(world: World, time_ms: int) -> list[Template]:
    """A template for every message of every device of a campus."""
    site = world.campus.site
    time_ms += time_ms % SECOND_MS == 0  # a whole second would be written without its milliseconds
    once = {report.simulated.device.id: report for report in world.everyone(time_ms)}
    made = [
        template(one, time_ms, site.zone) for report in once.values() for one in report.publications(site)
    ]
    if not made:
        raise ValueError("no device of this campus has a format that can be simulated")
    return made


def template(publication: Publication, time_ms: int, zone: dt.tzinfo) -> Template:
    """A frame with its changing places; *time_ms* is the time in it, in UTC or in the site's *zone*."""
    frame = publish_frame(publication.topic, publication.payload)
    base = len(frame) - len(publication.payload)
    spans = [(match.span(2), True) for match in _COUNTER.finditer(publication.payload)]
    spans += [(match.span(2), False) for match in _GAUGE.finditer(publication.payload)]
    digits = []
    for (start, end), counts in spans:
        point = publication.payload.find(b".", start, end)
        # The digits behind the point of a counter, so that it grows slowly; the last digit of anything else.
        first = (point + 1 if point >= 0 else start + 1) if counts else end - 1
        if first < end:
            digits.append((base + first, base + end, counts))
    local = from_ms(time_ms, zone).strftime("%H:%M").encode()
    times: list[tuple[int, int, dt.tzinfo | None]] = [
        (base + match.start(), base + match.end(), zone if match[0][11:16] == local else dt.UTC)
        for match in _ISO.finditer(publication.payload)
    ]
    times += [
        (base + match.start(), base + match.end(), None) for match in _EPOCH_MS.finditer(publication.payload)
    ]
    return Template(frame, identifier_at(frame), tuple(digits), tuple(times))


class _Block:
    """Some templates side by side in memory, and where their changing places are in it."""

    def __init__(self, chosen: Sequence[Template]) -> None:
        self.frames = bytearray(b"".join(one.frame for one in chosen))
        self.count = len(chosen)
        starts = itertools.accumulate((len(one.frame) for one in chosen), initial=0)
        pairs = list(zip(starts, chosen, strict=False))
        self._identifiers = [start + one.identifier for start, one in pairs]
        self._digits = [
            (start + begin, start + end, end - begin if counts else 1)
            for start, one in pairs
            for begin, end, counts in one.digits
        ]
        self._times = [
            (start + begin, start + end, zone) for start, one in pairs for begin, end, zone in one.times
        ]
        self._zones = {zone for _, _, zone in self._times}

    def fill(self, identifier: int, turn: int, now_ms: int) -> bytearray:
        """The block of *turn* at *now_ms*, its packet identifiers counted from *identifier*."""
        frames = self.frames
        for place in self._identifiers:
            frames[place] = identifier >> 8
            frames[place + 1] = identifier & 0xFF
            identifier = identifier + 1 if identifier < _IDENTIFIERS else 1
        texts = {width: b"%0*d" % (width, turn % 10**width) for width in {one[2] for one in self._digits}}
        for begin, end, width in self._digits:
            frames[begin:end] = texts[width]
        clocks = {zone: _clock(now_ms, zone) for zone in self._zones}
        for begin, end, zone in self._times:
            frames[begin:end] = clocks[zone][: end - begin]
        return frames


def _clock(now_ms: int, zone: dt.tzinfo | None) -> bytes:
    """Epoch milliseconds, or ISO 8601 without its offset, cut to seconds by whoever writes so."""
    if zone is None:
        return b"%d" % now_ms
    return from_ms(now_ms, zone).isoformat(timespec="milliseconds")[:23].encode()


class Load:
    """Publishes templates round and round over one connection."""

    def __init__(self, url: BrokerUrl, chosen: Sequence[Template], *, window: int = WINDOW) -> None:
        if not 0 < window < _IDENTIFIERS:
            raise ValueError(f"a window of {window}; expected 1 to {_IDENTIFIERS - 1} messages")
        self._url = url
        self._chosen = chosen
        self._window = window

    def run(
        self, *, rate: float, seconds: float, tell: Callable[[Measured], None] = lambda _now: None
    ) -> Measured:
        """Sends at *rate* messages a second (0 for as many as can be) for *seconds*, then waits for the last answer.

        Raises :class:`simulators.errors.BrokerLost`.
        """
        began, cpu_s = time.monotonic(), time.process_time()
        sent = sent_bytes = 0
        told_s = 0.0
        blocks = self._turns(rate)
        with Wire(self._url, f"shouyuan-load-{time.time_ns()}") as wire:
            block, turn = next(blocks)
            last_answer_s, answered = 0.0, 0
            while True:
                now_s = time.monotonic() - began
                if wire.acknowledged != answered:
                    last_answer_s, answered = now_s, wire.acknowledged
                done = now_s >= seconds
                if (done and wire.idle and answered >= sent) or now_s - last_answer_s > _PATIENCE_S:
                    break
                room = sent - answered + block.count <= self._window
                due = not rate or sent + block.count <= rate * now_s + 1
                if wire.idle and room and due and not done:
                    wire.send(block.fill(sent % _IDENTIFIERS + 1, turn, time.time_ns() // 1_000_000))
                    sent += block.count
                    sent_bytes += len(block.frames)
                    block, turn = next(blocks)
                wire.turn(0 if wire.idle and room and not rate and not done else 0.002)
                if now_s - told_s > 0.25:
                    told_s = now_s
                    tell(Measured(sent, answered, now_s, sent_bytes, time.process_time() - cpu_s))
            elapsed_s = time.monotonic() - began
            return Measured(sent, wire.acknowledged, elapsed_s, sent_bytes, time.process_time() - cpu_s)

    def _turns(self, rate: float) -> Iterator[tuple[_Block, int]]:
        """Blocks round and round; at a low rate small ones, so that they come evenly."""
        size = min(_BLOCK_MESSAGES, self._window, max(1, round(rate * _BLOCK_S)) if rate else _BLOCK_MESSAGES)
        blocks = [_Block(self._chosen[at : at + size]) for at in range(0, len(self._chosen), size)]
        for turn in itertools.count(1):
            for block in blocks:
                yield block, turn
