"""The engine: independent of batching, safe to snapshot anywhere, bounded."""

import copy

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campus.campus import Campus
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.site import Site
from rules.catalogue import catalogue
from rules.engine.engine import Engine
from rules.engine.replay import replay, to_json
from rules.engine.settings import RuleSettings
from rules.errors import BadSnapshot
from rules.level import Level, State

START_MS = 1_795_233_600_000
PLACE = Place(site="s", building="b")
CAMPUS = Campus(
    site=Site(id="s", name="S"),
    devices=[
        Device(id="f", name="F", kind="cold_storage", profile="freezer", place=PLACE),
        Device(id="w", name="W", kind="water_meter", place=PLACE, register_modulus=1000),
        Device(id="p", name="P", kind="pipe_probe", role="pipe_wall", place=PLACE),
        Device(id="o", name="O", kind="climate", role="outdoor", place=PLACE),
        Device(id="e", name="E", kind="electricity_meter", place=PLACE),
    ],
)
SERIES = [
    Series("f", Quantity.TEMPERATURE),
    Series("w", Quantity.WATER_VOLUME),
    Series("w", Quantity.WATER_FLOW),
    Series("p", Quantity.TEMPERATURE),
    Series("o", Quantity.TEMPERATURE),
    Series("e", Quantity.ACTIVE_POWER),
    Series("stranger", Quantity.TEMPERATURE),
]
HISTORY = st.lists(
    st.tuples(
        st.sampled_from(SERIES),
        st.floats(-40, 40),
        st.integers(1, 4000),
        st.sampled_from([Quality.GOOD] * 8 + list(Quality)),
    ),
    max_size=60,
)


def engine():
    return Engine(
        CAMPUS, RuleSettings({"defaults": {"cold.above_limit": {"for_s": 60, "critical_for_s": 30}}})
    )


def readings(history):
    time_ms = START_MS
    for series, value, gap_s, quality in history:
        time_ms += gap_s * 1000
        yield Reading(series, value, time_ms, time_ms, quality)


def fed(history, cuts):
    """The transitions when the same readings come in batches that end at *cuts*."""
    one, found, batch = engine(), [], []
    for number, reading in enumerate(readings(history)):
        batch.append(reading)
        if number in cuts:
            found += one.advance(batch[-1].time_ms, batch)
            batch = []
    if batch:
        found += one.advance(batch[-1].time_ms, batch)
    return found


@settings(max_examples=60, deadline=None)
@given(HISTORY, st.sets(st.integers(0, 60)))
def test_batching_changes_nothing(history, cuts):
    """The same readings give the same transitions at the same times, however they were grouped."""
    if history:
        until_ms = list(readings(history))[-1].time_ms
        assert fed(history, cuts) == list(replay(engine(), readings(history), until_ms=until_ms))


@settings(max_examples=40, deadline=None)
@given(HISTORY, st.integers(0, 60))
def test_a_restart_changes_nothing(history, at):
    """Snapshot and restore in the middle, and everything goes on as if nothing had happened."""
    whole, first = engine(), engine()
    expected, found = [], []
    for number, reading in enumerate(readings(history)):
        expected += whole.advance(reading.time_ms, [reading])
        if number == at:
            second = engine()
            second.restore(first.snapshot())
            first = second
        found += first.advance(reading.time_ms, [reading])
    assert found == expected
    assert first.lost == []


@settings(max_examples=30, deadline=None)
@given(HISTORY)
def test_readings_are_not_changed(history):
    """The engine leaves what it is fed alone, and takes a repeat of it as nothing."""
    batch = list(readings(history))
    before = copy.deepcopy(batch)
    one = engine()
    if batch:
        one.advance(batch[-1].time_ms, batch)
        snapshot = one.snapshot()
        assert one.advance(batch[-1].time_ms, batch) == []
        assert one.snapshot() == snapshot
    assert batch == before


def test_state_stays_small():
    """Twenty thousand readings leave no more state than a thousand."""
    one, sizes = engine(), []
    for number in range(20_000):
        time_ms = START_MS + number * 30_000
        series = SERIES[number % 6]
        one.advance(time_ms, [Reading(series, float(number % 37), time_ms, time_ms)])
        if number in {1_000, 19_999}:
            sizes.append(len(one.snapshot()))
    assert sizes[1] < sizes[0] * 3


def test_snapshots_of_another_campus_are_taken_as_far_as_they_go():
    """Rules and devices that are gone are dropped, broken entries start anew and are named, garbage is refused."""
    one = engine()
    one.advance(START_MS, [Reading(SERIES[0], -5.0, START_MS, START_MS)])
    body = msgspec.json.decode(one.snapshot())
    body["rules"]["gone.rule"] = {"x": [{}, {}]}
    body["rules"]["cold.above_limit"]["f"][0] = {"probes": "none"}
    two = engine()
    two.restore(msgspec.json.encode(body))
    assert two.lost == ["cold.above_limit/f"]
    older = msgspec.json.encode(msgspec.json.decode(one.snapshot()) | {"version": 1})
    for garbage in (b"", b"{}", b"[1]", b"\xff", older):
        with pytest.raises(BadSnapshot):
            two.restore(garbage)


def test_what_is_adopted_while_all_is_well_ends_with_the_next_word():
    """A healthy device is looked at now and then only; whose alert is still open is looked at with each reading."""
    quick = {"for_s": 0, "critical_for_s": 0, "keep_firing_for_s": 0}
    one = Engine(CAMPUS, RuleSettings({"defaults": {"cold.above_limit": quick}}))
    ended_s = None
    for second in range(0, 1200, 10):
        time_ms = START_MS + second * 1000
        if second == 300:
            assert one.adopt("cold.above_limit", "f", Level.WARNING, START_MS)
        found = one.advance(time_ms, [Reading(SERIES[0], -20.0, time_ms, time_ms)])
        if any(each.rule == "cold.above_limit" and each.to_state is State.RESOLVED for each in found):
            ended_s = second
            break
    assert ended_s is not None
    assert ended_s <= 320


def test_alerts_open_elsewhere_are_adopted():
    """An alert the engine does not know is taken over and resolves by its rule's word."""
    one = engine()
    assert one.adopt("cold.above_limit", "f", Level.WARNING, START_MS)
    assert not one.adopt("cold.above_limit", "nobody", Level.WARNING, START_MS)
    assert one.firing() == {("cold.above_limit", "f"): Level.WARNING}
    found = []
    for minute in range(20):
        time_ms = START_MS + minute * 60_000
        found += one.advance(time_ms, [Reading(SERIES[0], -20.0, time_ms, time_ms)])
    assert [one.to_state.value for one in found if one.rule == "cold.above_limit"] == ["resolved"]


def test_flapping_becomes_one_alert():
    """A value that crosses its limit all the time opens a few alerts at most, then one that stays open."""
    zeros = dict.fromkeys(("for_s", "critical_for_s", "keep_firing_for_s", "most_patience_s"), 0)
    quick = {"defaults": {"cold.above_limit": zeros}}
    one = Engine(CAMPUS, RuleSettings(quick))
    found = []
    for minute in range(120):
        time_ms = START_MS + minute * 60_000
        found += one.advance(time_ms, [Reading(SERIES[0], -5.0 if minute % 2 else -20.0, time_ms, time_ms)])
    openings = [
        t
        for t in found
        if t.rule == "cold.above_limit" and t.to_state.value == "firing" and t.from_state.value != "firing"
    ]
    assert len(openings) == 4


def test_every_rule_has_what_the_engine_needs():
    """Names are dotted, settings are models, and memories go through JSON."""
    for name, rule in catalogue().items():
        assert name == rule.name
        assert "." in name
        device = CAMPUS.devices["f"]
        memory = rule.start(device)
        assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(memory)), rule.Memory) == memory
        rule.Params.model_validate(rule.defaults(device, "canteen"))


def test_replay_prints_what_it_found():
    """A transition as JSON holds time, rule, subject, state, severity and evidence."""
    time_ms = START_MS
    history = [Reading(SERIES[0], -5.0, time_ms + n * 10_000, time_ms) for n in range(8)]
    fired = [to_json(one) for one in replay(engine(), history) if one.to_state.value == "firing"]
    assert fired[0]["time"] == "2026-11-21T04:00:30Z"
    assert (fired[0]["rule"], fired[0]["subject"], fired[0]["severity"]) == (
        "cold.above_limit",
        "f",
        "critical",
    )
    assert fired[0]["evidence"]["facts"]["temperature_c"] == -5.0
