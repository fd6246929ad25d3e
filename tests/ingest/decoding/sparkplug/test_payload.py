"""The protobuf of Sparkplug B, read as the real runtime reads and writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparkplug_support import metric, wire

from ingest.decoding.formats.sparkplug.payload import MOST_METRICS, payload_of, typed
from ingest.errors import Rejected

runtime = pytest.importorskip("google.protobuf.message")

_SIGNED = {"Int8": 8, "Int16": 16, "Int32": 32, "Int64": 64}


@given(st.sampled_from(sorted(_SIGNED)), st.data())
def test_signed_integers_in_unsigned_fields(datatype, data):
    """Two's complement of the datatype's width, or of the field's, is the same negative number."""
    bits = _SIGNED[datatype]
    wanted = data.draw(st.integers(-(1 << bits - 1), (1 << bits - 1) - 1))
    for width in {bits, 32 if bits < 64 else 64, 64}:
        found = wire.Payload()
        one = found.metrics.add(name="x", datatype=wire.DataType.Value(datatype))
        if width == 64:
            one.long_value = wanted & ((1 << 64) - 1)
        else:
            one.int_value = wanted & ((1 << width) - 1)
        (read_back,) = payload_of(found.SerializeToString()).metrics
        assert typed(read_back, read_back.datatype) == wanted


_METRICS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=20),
        "alias": st.integers(0, 2**64 - 1),
        "timestamp": st.integers(0, 2**64 - 1),
        "datatype": st.integers(0, 40),
        "is_historical": st.booleans(),
        "is_null": st.booleans(),
    },
)
_VALUES = st.one_of(
    st.tuples(st.just("int_value"), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("long_value"), st.integers(0, 2**64 - 1)),
    st.tuples(st.just("float_value"), st.floats(width=32, allow_nan=False)),
    st.tuples(st.just("double_value"), st.floats(allow_nan=False)),
    st.tuples(st.just("boolean_value"), st.booleans()),
    st.tuples(st.just("string_value"), st.text(max_size=20)),
)


@given(st.lists(st.tuples(_METRICS, _VALUES), max_size=5), st.integers(0, 2**64 - 1))
def test_we_read_what_the_runtime_wrote(metrics, sequence):
    """Every field of every metric comes back as the protobuf runtime was given it."""
    written = wire.Payload(seq=sequence)
    for fields, (kind, value) in metrics:
        written.metrics.add(**fields, **{kind: value})
    found = payload_of(written.SerializeToString() or b"\x18\x00")
    assert found.sequence == sequence
    assert len(found.metrics) == len(metrics)
    for one, (fields, (_, value)) in zip(found.metrics, metrics, strict=True):
        assert one.value == value
        assert (one.name, one.alias) == (fields.get("name", ""), fields.get("alias"))
        assert (one.time_ms, one.datatype) == (fields.get("timestamp"), fields.get("datatype", 0))
        assert (one.historical, one.null) == (
            fields.get("is_historical", False),
            fields.get("is_null", False),
        )


@given(st.binary(min_size=1, max_size=8), st.data())
def test_we_and_the_runtime_agree_on_broken_bytes(noise, data):
    """What the runtime reads of broken bytes we read alike; we refuse more only where a text is not UTF-8."""
    written = wire.Payload(seq=1)
    metric(written, "Temperature", 20.5, "Double", alias=7)
    raw = bytearray(written.SerializeToString())
    at = data.draw(st.integers(0, len(raw)))
    raw[at : at + data.draw(st.integers(0, 3))] = noise
    try:
        theirs = [(one.name, one.alias, one.datatype) for one in wire.Payload.FromString(bytes(raw)).metrics]
    except runtime.DecodeError:
        theirs = None
    try:
        ours = [(one.name, one.alias or 0, one.datatype) for one in payload_of(bytes(raw)).metrics]
    except Rejected as rejected:
        assert theirs is None or rejected.code == "not_utf8"
        return
    assert theirs is None or theirs == ours


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty"),
        (b"\x08" + b"\xff" * 11, "malformed_protobuf"),
        (b"\x12\x7f\x00", "malformed_protobuf"),
        (b"\x08", "malformed_protobuf"),
        (b"\x07\x00", "malformed_protobuf"),
        (b"\x12\x04\x0a\x02\xff\xfe", "not_utf8"),
        (b"\x12\x00" * (MOST_METRICS + 1), "too_many_values"),
        (b"\x00" * (1024 * 1024 + 1), "too_large"),
        (b"\x1b" * 64, "malformed_protobuf"),
    ],
)
def test_bad_payloads_are_named(raw, code):
    """Each way a payload can be bad has a name of its own."""
    with pytest.raises(Rejected) as caught:
        payload_of(raw)
    assert caught.value.code == code


def test_templates_are_not_read_without_end():
    """Templates within templates are refused beyond a depth."""
    data = wire.Payload()
    one = data.metrics.add(name="a", datatype=19)
    for _ in range(8):
        one = one.template_value.metrics.add(name="a", datatype=19)
    with pytest.raises(Rejected, match="too_deep"):
        payload_of(data.SerializeToString())
