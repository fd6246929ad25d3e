"""What a message costs grows with its size and no faster, wherever it is blown up, for every decoder."""

from __future__ import annotations

import contextlib
import json
import sys

import pytest

from bench.fuzzing.cases import NOW_MS
from bench.fuzzing.cost import peak_bytes, seconds
from bench.fuzzing.shapes import Shape, shapes
from campus.site import GenericMapping
from ingest.decoding.contract import Hints
from ingest.decoding.formats.described.generic import GenericJson
from ingest.decoding.registry import decoder_names
from ingest.message import Message

SMALL, LARGE = 4_000, 16_000
#: four times the size is four times the cost, and sixteen where it grows with the square
GROWTH = 10
#: less than this is not measured well enough to be compared
LEAST_S = 0.01
#: of memory a byte of payload, and whatever the payload
BYTES_A_BYTE, BYTES = 400, 2_000_000


def chosen(decoder):
    """A few places of one message, each in all ways; the long run takes more of them."""
    own = list(shapes(decoder, seeds_each=1))
    places = list(dict.fromkeys(one.place for one in own))
    kept = {place for place in places if not place[0].isdigit()} | {
        place for at, place in enumerate(one for one in places if one[0].isdigit()) if at in {0, 2}
    }
    return [one for one in own if one.place in kept]


@pytest.mark.parametrize("decoder", decoder_names())
def test_cost_grows_with_the_size(decoder):
    """Four times as large takes no ten times as long, and memory in proportion."""
    for shape in chosen(decoder):
        large = shape.make(LARGE)
        cost_s = seconds(shape, large)
        if cost_s > LEAST_S:
            small_s = seconds(shape, shape.make(SMALL), times=3)
            assert seconds(shape, large, times=3) < GROWTH * small_s + LEAST_S, shape.name
        if shape.what.startswith("many"):
            size = len(large.payload)
            assert peak_bytes(shape, large) < BYTES_A_BYTE * size + BYTES, shape.name


def test_what_records_share_is_looked_up_once():
    """A described mapping whose address and time stand beside the records costs in proportion to them, not to their square."""
    mapping = GenericMapping.model_validate(
        {
            "address": "meta[*].id",
            "records": "list[*]",
            "time": {"path": "meta[*].ts", "format": "epoch"},
            "fields": {"t": {"quantity": "temperature"}},
        }
    )
    looks = []
    for size in (50, 200):
        meta = [{} for _ in range(size - 1)] + [{"id": "x"}]
        body = json.dumps({"list": [{"t": 1.5}] * size, "meta": meta}).encode()
        with _counted() as count:
            GenericJson(mapping).decode(Message("t", body, NOW_MS), Hints())
        looks.append(count[0])
    assert looks[1] < 5 * looks[0]


@contextlib.contextmanager
def _counted():
    """Counts the lines of paths and mapping that are run."""
    count = [0]

    def trace(frame, event, _arg):
        if not frame.f_code.co_filename.endswith(("path.py", "generic.py")):
            return None
        count[0] += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield count
    finally:
        sys.settrace(before)


def test_numbers_near_the_largest_cost_no_more():
    """``1e308`` took 60 µs a number, two thousand times as long as others: 30,000 of them held everything up for seconds."""

    def cost_s(number):
        payload = b'{"temperature": [' + b",".join([number] * 1_000) + b"]}"
        made = Message("zigbee2mqtt/Freezer", payload, NOW_MS)
        return seconds(Shape("zigbee2mqtt", "", "", lambda _: made), made, times=5)

    plain_s = cost_s(b"1.25")
    for number in (b"1e308", b"1.7976931348623158e308", b"2.2250738585072011e-308", b"1e-320"):
        assert cost_s(number) < 50 * plain_s, number


def test_a_number_beyond_all_is_left_out_alone():
    """One number larger than any there is costs that field only, not the message."""
    from decoding_support import values

    payload = b'{"temperature": -18.5, "humidity": 1e999, "battery": 80}'
    found = values("zigbee2mqtt/Freezer", payload)
    assert {one[0] for one in found} == {"temperature", "battery_level"}
    assert json.loads(payload)["humidity"] == float("inf")
