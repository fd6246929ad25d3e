"""The engine is a function of its readings and of time: batches, heartbeats, looks and restarts change nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.site import Site
from rules.engine.engine import Engine
from rules.engine.replay import replay
from rules.engine.settings import RuleSettings

START_MS = 1_795_233_600_000
PLACE = Place(site="s", building="b")
CAMPUS = Campus(
    site=Site.model_validate({"id": "s", "name": "S", "buildings": [{"id": "b", "name": "B"}]}),
    devices=[
        Device(id="g", name="G", kind="gateway", place=PLACE),
        Device(
            id="f", name="F", kind="cold_storage", profile="freezer", place=PLACE, gateway="g", interval_s=300
        ),
        Device(id="w", name="W", kind="water_meter", place=PLACE, register_modulus=1000, gateway="g"),
        Device(id="p", name="P", kind="pipe_probe", role="pipe_wall", place=PLACE, parent="w"),
        Device(id="o", name="O", kind="climate", role="outdoor", place=PLACE),
        Device(id="e", name="E", kind="electricity_meter", place=PLACE, rated_current_a=63),
    ],
)
#: soon, so that short histories open and end alerts, and by opening state, too
SETTINGS = {
    "defaults": {
        "cold.above_limit": {"for_s": 600, "critical_for_s": 300, "most_patience_s": 0},
        "pipe.cold": {"for_s": 600, "when_closed": {"for_s": 60}},
        "sensor.silent": {"least_s": 1800},
        "sensor.gateway_down": {"least_s": 900, "factor": 1},
        "electricity.voltage": {"for_s": 120, "critical_for_s": 60},
    }
}
VALUES = {
    Series("f", Quantity.TEMPERATURE): st.sampled_from([-20.0, -14.0, -5.0, 85.0]),
    Series("w", Quantity.WATER_VOLUME): st.floats(0, 999),
    Series("w", Quantity.WATER_FLOW): st.sampled_from([0.0, 0.3, 12.0, -1.0]),
    Series("p", Quantity.TEMPERATURE): st.sampled_from([12.0, 3.0, 0.0, -2.0]),
    Series("o", Quantity.TEMPERATURE): st.sampled_from([5.0, -8.0]),
    Series("e", Quantity.VOLTAGE): st.sampled_from([225.0, 190.0, 0.0, 260.0]),
    Series("e", Quantity.ACTIVE_POWER): st.floats(0, 40),
    Series("unregistered", Quantity.TEMPERATURE): st.just(1.0),
}
#: a reading's series and value, seconds since the one before, its quality, and whether its batch ends with it
READINGS = st.lists(
    st.tuples(
        st.sampled_from(sorted(VALUES)).flatmap(lambda one: st.tuples(st.just(one), VALUES[one])),
        st.integers(1, 1800),
        st.sampled_from([*[Quality.GOOD] * 8, Quality.SUSPECT, Quality.LATE]),
        st.booleans(),
    ),
    max_size=60,
)


def engine():
    return Engine(CAMPUS, RuleSettings(SETTINGS))


def readings_of(history):
    """Each with its own time, late ones from hours before they came; and whether its batch ends there."""
    time_ms = START_MS
    for (series, value), gap_s, quality, ends in history:
        time_ms += gap_s * SECOND_MS
        own_ms = time_ms - 3 * HOUR_MS if quality is Quality.LATE else time_ms
        yield Reading(series, value, own_ms, time_ms, quality), ends


def batches_of(history):
    """(time, readings) of each batch; a batch is as new as its last reading's arrival."""
    batch = []
    for reading, ends in readings_of(history):
        batch.append(reading)
        if ends:
            yield reading.received_ms, batch
            batch = []
    if batch:
        yield batch[-1].received_ms, batch


def one_by_one(history):
    one = engine()
    return one, [
        two for reading, _ in readings_of(history) for two in one.advance(reading.received_ms, [reading])
    ]


@settings(max_examples=25, deadline=None)
@given(READINGS)
def test_a_replay_is_what_was_lived(history):
    """A history without latecomers, replayed in handfuls, gives the transitions of the live service, at their times."""
    on_time = [one for one in history if one[2] is not Quality.LATE]
    _, lived = one_by_one(on_time)
    until_ms = max((one.received_ms for one, _ in readings_of(on_time)), default=START_MS)
    assert list(replay(engine(), [one for one, _ in readings_of(on_time)], until_ms=until_ms)) == lived


@settings(max_examples=25, deadline=None)
@given(READINGS)
def test_batches_change_nothing(history):
    """Whatever comes together, the transitions and the state in the end are the same.

    Of latecomers only the arrival of their batch is on time: within it they move nothing on.
    """
    on_time = [one for one in history if one[2] is not Quality.LATE]
    single, expected = one_by_one(on_time)
    grouped = engine()
    found = [two for time_ms, batch in batches_of(on_time) for two in grouped.advance(time_ms, batch)]
    assert found == expected
    assert grouped.snapshot() == single.snapshot()


@settings(max_examples=25, deadline=None)
@given(READINGS, st.lists(st.integers(1, 10), max_size=60))
def test_heartbeats_change_nothing(history, beats):
    """Batches without readings, at whatever moments between, neither hurry a deadline nor put it off."""
    on_time = [one for one in history if one[2] is not Quality.LATE]
    _, expected = one_by_one(on_time)
    one, found, last_ms = engine(), [], 0
    for number, (reading, _) in enumerate(readings_of(on_time)):
        count = beats[number] if number < len(beats) and last_ms else 0
        for beat in range(count):
            found += one.advance(last_ms + (reading.received_ms - last_ms) * beat // count)
        found += one.advance(reading.received_ms, [reading])
        last_ms = reading.received_ms
    assert found == expected


@settings(max_examples=25, deadline=None)
@given(READINGS, st.sets(st.integers(0, 60)))
def test_restarts_change_nothing(history, restarts):
    """Stopped after any batches and begun again from the snapshot, all goes on as if nothing had been."""
    whole, one, expected, found = engine(), engine(), [], []
    for number, (time_ms, batch) in enumerate(batches_of(history)):
        expected += whole.advance(time_ms, batch)
        found += one.advance(time_ms, batch)
        if number in restarts:
            again = engine()
            again.restore(one.snapshot())
            assert again.snapshot() == one.snapshot()
            assert again.lost == []
            one = again
    # What was pending, or silent, runs out as before; the snapshots may differ in clocks that stand until one is heard.
    end_ms = START_MS + 40 * HOUR_MS
    assert found + one.advance(end_ms) == expected + whole.advance(end_ms)
    assert one.firing() == whole.firing()


@settings(max_examples=25, deadline=None)
@given(READINGS)
def test_every_transition_follows_from_the_one_before(history):
    """Of each rule and subject the states form a chain, the times never go back, and what fires is what is open."""
    one, states, last_ms = engine(), {}, 0
    for time_ms, batch in [*batches_of(history), (START_MS + 60 * HOUR_MS, [])]:
        for found in one.advance(time_ms, batch):
            key = (found.rule, found.subject)
            if found.historical:
                continue
            assert found.from_state.value == states.get(key, ("inactive", None))[0]
            resolved = found.to_state.value == "resolved"
            states[key] = ("inactive", None) if resolved else (found.to_state.value, found.severity)
            last_ms = max(last_ms, found.time_ms)
            assert found.time_ms <= time_ms
    firing = {key: severity for key, (state, severity) in states.items() if state == "firing"}
    assert one.firing() == firing


def test_the_histories_are_not_dull():
    """The settings and values above do open, change and end alerts: else the properties would prove nothing."""
    series = [
        Series("f", Quantity.TEMPERATURE),
        Series("p", Quantity.TEMPERATURE),
        Series("e", Quantity.VOLTAGE),
    ]
    cold_night = [(-5.0, -2.0, 0.0)] * 12 + [(-20.0, 12.0, 225.0)] * 30
    one, rules = engine(), set()
    for step, values in enumerate(cold_night):
        time_ms = START_MS + step * 5 * MINUTE_MS
        batch = [Reading(which, value, time_ms, time_ms) for which, value in zip(series, values, strict=True)]
        rules |= {(found.rule, found.to_state.value) for found in one.advance(time_ms, batch)}
    rules |= {(found.rule, found.to_state.value) for found in one.advance(START_MS + 48 * HOUR_MS)}
    assert rules >= {
        ("cold.above_limit", "firing"),
        ("cold.above_limit", "resolved"),
        ("pipe.cold", "firing"),
        ("pipe.cold", "resolved"),
        ("electricity.outage", "firing"),
        ("sensor.silent", "firing"),
    }
