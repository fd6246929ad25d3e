"""What a meter used by hour, day and month, from the store to the answer."""

import pytest

from api import consumption as module
from api.consumption import consumed, counter_of
from api.errors import BadRequest
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, parse_iso
from campus.device import Device, MeterSwap, Place
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.timeseries.embedded import EmbeddedStore

START_MS = parse_iso("2026-11-20T00:00:00+08:00")
SERIES = Series("meter", Quantity.WATER_VOLUME)


@pytest.fixture
def store(tmp_path):
    opened = EmbeddedStore(tmp_path / "series.db")
    yield opened
    opened.close()


def written(store, readings, series=SERIES, quality=Quality.GOOD):
    """Stores (minute from the start, value)."""
    rows = []
    for minute, value in readings:
        time_ms = START_MS + round(minute * MINUTE_MS)
        rows.append(Reading(series, value, time_ms, time_ms, quality))
    store.write(rows)


def meter(kind="water_meter", **more):
    return Device(id="meter", name="M", kind=kind, place=Place(site="school"), register_modulus=1000, **more)


def volumes(store, edges_ms, device=None):
    found = consumed(store, SERIES, device or meter(), edges_ms)
    return [(round(use.volume, 6), round(use.inferred, 6)) for use in found.uses]


def test_the_readings_around_the_span_are_used(store):
    """The first hour starts from the reading before it, however long ago, and the last ends on the one after it."""
    written(store, [(-15 * 1440, 10.0), (30, 10.5), (90, 11.5), (3 * 1440, 11.5)])
    edges_ms = [START_MS, START_MS + HOUR_MS, START_MS + 2 * HOUR_MS]
    ((first, first_inferred), second) = volumes(store, edges_ms)
    assert first == pytest.approx(0.5 / (15 * 24 + 0.5) / 2 + 0.5, abs=1e-3)
    assert first_inferred == first
    assert second == (0.5, 0.5)


def test_long_histories_are_read_in_pages(store, monkeypatch):
    """The pages fit together, and a span with too many readings is refused with the number."""
    written(store, [(minute, round(1 + 0.01 * minute, 2)) for minute in range(1440)])
    monkeypatch.setattr(module, "_PAGE", 100)
    edges_ms = [START_MS, START_MS + DAY_MS]
    assert volumes(store, edges_ms) == [(14.39, 0)]
    monkeypatch.setattr(module, "MOST_READINGS", 1000)
    with pytest.raises(BadRequest, match="at most 1000 readings"):
        volumes(store, edges_ms)


def test_suspect_readings_and_late_ones(store):
    """A suspect index is left out; one that came late has its place by its own time."""
    written(store, [(0, 10.0), (60, 11.0)])
    written(store, [(30, 999.0)], quality=Quality.SUSPECT)
    written(store, [(40, 10.9)], quality=Quality.LATE)
    found = consumed(store, SERIES, meter(), [START_MS, START_MS + HOUR_MS])
    assert round(found.uses[0].volume, 6) == 1.0
    assert found.events == ()


def test_a_swap_told_afterwards_mends_the_history(store):
    """The record of a replaced meter makes the day exact, whenever it is written down."""
    written(store, [(0, 400.0), (30, 400.2), (90, 0.1), (120, 0.3)])
    edges_ms = [START_MS, START_MS + DAY_MS]
    assert volumes(store, edges_ms) == [(0.4, 0.2)]
    swap = MeterSwap(time_ms=START_MS + HOUR_MS, end=400.3, start=0)
    assert volumes(store, edges_ms, meter(swaps=(swap,))) == [(0.6, 0)]


@pytest.mark.parametrize(
    ("kind", "channels", "quantity", "channel", "expected"),
    [
        ("water_meter", [""], "", None, ("water_volume", "")),
        ("electricity_meter", ["a", "b", "c", "total"], "", None, ("energy", "total")),
        ("electricity_meter", ["export"], "", None, ("energy", "export")),
        ("electricity_meter", ["a", "b"], "", "b", ("energy", "b")),
        ("electricity_meter", [], "", None, ("energy", "")),
        ("gateway", [""], "pulse_count", None, ("pulse_count", "")),
    ],
)
def test_which_counter_is_meant(store, kind, channels, quantity, channel, expected):
    """The kind's own counter, and its whole where it has parts."""
    counted = Quantity(expected[0])
    for one in channels:
        written(store, [(0, 1.0)], Series("meter", counted, one))
    found = counter_of(store, meter(kind), quantity, channel)
    assert (found.quantity.value, found.channel) == expected


def test_an_ambiguous_counter_is_asked_for(store):
    """Two parts without a whole, and a device that counts nothing, are questions back."""
    for one in ("a", "b"):
        written(store, [(0, 1.0)], Series("meter", Quantity.ENERGY, one))
    with pytest.raises(BadRequest, match="one of a, b"):
        counter_of(store, meter("electricity_meter"), "", None)
    with pytest.raises(BadRequest, match="what the device counts"):
        counter_of(store, meter("cold_storage"), "", None)


def test_the_answer(running):
    """A day of a register that wraps and is silent for hours: sums, shares, reasons and events."""
    readings = [(0, 999.0), (30, 999.5), (60, 0.5), (300, 4.5), (301, 4.49), (302, 4.52)]
    written(running.runtime.store, readings)
    path, params = "/api/devices/meter/consumption", {"from": "2026-11-20", "to": "2026-11-20T06:00"}
    body = running.http.get(path, params=params | {"step": "hour"}).json()
    assert {key: body[key] for key in ("quantity", "channel", "unit", "step", "zone")} == {
        "quantity": "water_volume",
        "channel": "",
        "unit": "m3",
        "step": "hour",
        "zone": "Asia/Shanghai",
    }
    assert (body["volume"], body["inferred"], body["inferred_share"]) == (5.52, 4.0, 0.7246)
    assert [one["volume"] for one in body["periods"]] == [1.5, 1.0, 1.0, 1.0, 1.0, 0.02]
    assert [one["reasons"] for one in body["periods"]] == [[], ["gap"], ["gap"], ["gap"], ["gap"], []]
    assert body["periods"][5]["covered_share"] == 0.0333
    assert [one["event"] for one in body["events"]] == ["rollover", "backflow"]
    assert body["backflow"] == 0.01
    (day,) = running.http.get(path, params=params).json()["periods"]
    assert (day["start_ms"], day["end_ms"]) == (START_MS, START_MS + DAY_MS)
    assert (day["volume"], day["inferred"]) == (5.52, 0)
    months = running.http.get(path, params={"from": "2026-09-30", "to": "2026-11-21", "step": "month"}).json()
    assert [one["volume"] for one in months["periods"]] == [None, None, 5.52]


@pytest.mark.parametrize(
    ("device", "params", "status", "words"),
    [
        ("ghost", {}, 404, "device 'ghost' does not exist"),
        ("meter", {"quantity": "temperature"}, 422, "one of water_volume"),
        ("meter", {"from": "soon"}, 422, "from is 'soon'; expected ISO 8601"),
        ("meter", {"from": "2026-11-02", "to": "2026-11-01"}, 422, "before to"),
        ("meter", {"from": "2016-11-02", "to": "2026-11-01", "step": "hour"}, 422, "at most 10000 periods"),
        ("freezer", {}, 422, "what the device counts"),
    ],
)
def test_what_cannot_be_answered_says_why(running, device, params, status, words):
    """What was found and what was expected stands in the answer."""
    answer = running.http.get(f"/api/devices/{device}/consumption", params=params)
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_nobody_sees_it_without_signing_in(running):
    """The counter of a building says when nobody is there."""
    running.http.headers.pop("authorization")
    assert running.http.get("/api/devices/meter/consumption").status_code == 401
