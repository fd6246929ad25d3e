"""Whatever arrives, every decoder itself, past the registry's guard, answers with values or its own rejection."""

from __future__ import annotations

import itertools
import json
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.fuzzing.cases import NOW_MS, case, seeds, words
from bench.fuzzing.verdict import verdict
from ingest.decoding.contract import Hints
from ingest.decoding.registry import decoder_names
from ingest.decoding.wire.document import LARGEST_BYTES
from ingest.message import Message

#: CPU seconds and bytes one message may take, however it is made; the long run allows one second, this leaves room for
#: slow machines, as what grows with the square of the size takes minutes
LONGEST_S = 3.0
MOST_BYTES = 64 * 1024 * 1024

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(words()),
    st.sampled_from(
        ["30.1 °C", "AXVcA2c0AQ==", "2026-11-21T00:00:00Z", "20261121115500", 1e300, 2**64, "1e999"]
    ),
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(words()), inner, max_size=6)
    ),
    max_leaves=25,
)


def own(name):
    return [seed for seed in seeds() if seed.decoder == name]


@pytest.mark.parametrize("name", decoder_names())
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_random_messages(name, data):
    """Random bytes, and random documents of the words formats use, on a topic of the format's own and on any."""
    topics = sorted({seed.topic for seed in seeds()})
    topic = data.draw(st.one_of(st.sampled_from(topics), st.text(min_size=1, max_size=30)))
    payload = data.draw(
        st.one_of(st.binary(max_size=200), DOCUMENTS.map(lambda one: json.dumps(one).encode()))
    )
    assert verdict(name, Message(topic, payload, NOW_MS), Hints())


@pytest.mark.parametrize("name", sorted({seed.decoder for seed in seeds()} & set(decoder_names())))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_broken_messages(name, data):
    """Well-formed messages cut, doubled and overwritten anywhere."""
    seed = data.draw(st.sampled_from(own(name)))
    raw = bytearray(seed.payload)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(len(raw), start + 20)))
        raw[start:end] = data.draw(
            st.one_of(st.binary(max_size=6), st.sampled_from([bytes(raw[start:end]) * 2, b'"', b"1e99"]))
        )
    assert verdict(name, Message(seed.topic, bytes(raw), NOW_MS), Hints())


def test_numbered_cases():
    """The first few thousand cases of the long run, third-party samples among their seeds where present."""
    hints = Hints()
    outcomes = [verdict(*case(number), hints) for number in range(1_500)]
    assert {"read", "ignored", "malformed_json", "not_an_object"} <= set(outcomes)


def test_every_decoder_is_fuzzed():
    """Each of the formats has a well-formed message to start from, and its decoder reads or rightly ignores it."""
    hints = Hints()
    for name in decoder_names():
        outcomes = {
            verdict(seed.decoder, Message(seed.topic, seed.payload, NOW_MS), hints) for seed in own(name)
        }
        assert outcomes & {"read", "ignored"}, f"{name} needs a message in bench/fuzzing/seeds.json"


def test_a_number_is_a_case():
    """The same number is the same message, so that what a long run finds can be run again."""
    assert [case(number) for number in range(50)] == [case(number) for number in range(50)]


def _inflated(body, most_bytes):
    """*body* with one of its lists or objects after the other repeated until it is nearly *most_bytes* large."""
    for path, one in _containers(body, ()):
        if isinstance(one, list) and one:
            yield path, one * (most_bytes * 9 // 10 // (len(json.dumps(one)) + 2))
        elif isinstance(one, dict) and one:
            each = next(iter(one.values()))
            size = len(json.dumps(each)) + 24
            yield path, one | {f"temperature_{at:x}": each for at in range(most_bytes * 8 // 10 // size)}


def _containers(body, path):
    if isinstance(body, dict | list):
        yield path, body
        for key, inside in body.items() if isinstance(body, dict) else enumerate(body):
            yield from _containers(inside, (*path, key))


def _with(body, path, new):
    if not path:
        return new
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[path[0]] = _with(body[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize(
    "name", sorted({seed.decoder for seed in seeds()} & set(decoder_names()) - {"sparkplug_b", "raw_modbus"})
)
def test_large_messages_are_bounded(name):
    """A message of nearly the largest size, wherever it is large, takes bounded time and memory."""
    seed = own(name)[0]
    body, hints = json.loads(seed.payload), Hints()
    for path, large in itertools.islice(_inflated(body, LARGEST_BYTES), 2):
        message = Message(seed.topic, json.dumps(_with(body, path, large)).encode()[:LARGEST_BYTES], NOW_MS)
        began_s = time.thread_time()
        verdict(name, message, hints)
        assert time.thread_time() - began_s < LONGEST_S, path
    # counting memory takes five times as long, so it is done on a tenth
    for path, large in itertools.islice(_inflated(body, LARGEST_BYTES // 10), 3):
        message = Message(seed.topic, json.dumps(_with(body, path, large)).encode(), NOW_MS)
        tracemalloc.start()
        try:
            verdict(name, message, hints)
            assert tracemalloc.get_traced_memory()[1] < MOST_BYTES // 5, path
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    "payload",
    [
        b"\x12\x00" * 500_000,
        b"\x12\x06\x0a\x04temp" * 120_000,
        b"\x12\x80\x80\x3f" + b"\x92\x01\x00" * 344_064,
        b"\x12\x80\x80\x3f" + b"\x4a\x02\x0a\x00" * 258_048,
        b"\x0b\x0c" * 500_000,
        b"\xff" * 1_000_000,
    ],
)
def test_large_protobuf_is_bounded(payload):
    """A megabyte of metrics, templates, properties, groups or of a number without end takes bounded time and memory."""
    message = Message("spBv1.0/campus/NBIRTH/edge", payload, NOW_MS)
    began_s = time.thread_time()
    verdict("sparkplug_b", message, Hints())
    assert time.thread_time() - began_s < LONGEST_S
    tracemalloc.start()
    try:
        verdict("sparkplug_b", message, Hints())
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
