"""Every store keeps any name apart from any other, and names what it will never take."""

import math

import pytest

from campus.clock import parse_iso
from campus.quantity import Quantity
from campus.reading import Quality, Series
from store.errors import PointRefused
from store.timeseries.contract import Aggregate

START_MS = parse_iso("2026-03-20T16:00:00Z")
PADDING = "\u200b"
ENDINGS = [
    "冷冻柜 2号", "a b", "a,b", "a=b", "a\\", "a\\\\", "a\\,b", "a\\ b", "a\\=", "a" + PADDING, "a\\" + PADDING,
    "a\\" + PADDING * 2, '"quoted"', "${1+1}", "$", "#comment", "🧊", "'", "a\\n", "{{x}}",
]  # fmt: skip


def test_any_name_finds_its_own_points(store, device, make):
    """Spaces, commas, equal signs, backslashes and the like stay apart, in device and channel alike."""
    names = [device + ending for ending in ENDINGS]
    batch = [
        make(START_MS, number, name=name, channel=ending)
        for number, (name, ending) in enumerate(zip(names, ENDINGS, strict=True))
    ]
    store.write(batch)
    for number, reading in enumerate(batch):
        series = reading.series
        assert [point.value for point in store.query(series, START_MS, START_MS + 1)] == [float(number)], (
            series
        )
        assert store.series(series.device) == [series]
        assert store.latest([series])[series].value == float(number)
        (mean,) = store.query(series, START_MS, START_MS + 1, step_ms=60_000, aggregate=Aggregate.MEAN)
        assert mean.value == float(number)


def test_one_channel_each(store, device, make):
    """Channels that differ only in what needs escaping are different series of one device."""
    store.write([make(START_MS, number, channel=ending) for number, ending in enumerate(ENDINGS)])
    found = {
        series.channel: point.value for series, point in store.latest().items() if series.device == device
    }
    assert found == {ending: float(number) for number, ending in enumerate(ENDINGS)}


def test_every_refused_reading_is_told_to_the_hook(opener, make):
    """With a hook nothing is raised: each bad reading is named with a reason, every other one is stored."""
    told = []
    store = opener(lambda reading, reason: told.append((reading, reason)))
    good = [make(START_MS + n, n) for n in range(7)]
    bad = [
        make(START_MS + 100, math.nan),
        make(START_MS + 101, -math.inf),
        make(START_MS + 102, 1e300),
        make(-1, 1),
        make(2**63, 1),
        make(START_MS, 1, name=""),
        make(START_MS, 1, channel="a\nb"),
        make(START_MS, 1, channel="\ud800"),
    ]
    store.write([one for pair in zip(good, bad, strict=False) for one in pair] + [bad[-1]])
    assert [reading for reading, _ in told] == bad
    assert all(reason for _, reason in told)
    assert len(store.query(good[0].series, START_MS, START_MS + 1000)) == len(good)


def test_all_refused_readings_are_in_the_error(store, make):
    """Without a hook one error carries every refused position, raised after the rest was stored."""
    batch = [make(START_MS, math.nan), make(START_MS + 1, 1), make(START_MS + 2, math.inf)]
    with pytest.raises(PointRefused) as caught:
        store.write(batch)
    assert [index for index, _ in caught.value.refused] == [0, 2]
    assert [point.value for point in store.query(batch[0].series, START_MS, START_MS + 9)] == [1.0]


def test_only_bad_readings(store, device, make):
    """A batch of nothing but bad readings stores nothing, an empty one is nothing to do."""
    store.write([])
    with pytest.raises(PointRefused):
        store.write([make(START_MS, math.nan)])
    assert store.series(device) == []


@pytest.mark.differs("victoriametrics")  # of two values at one time it knows no last
@pytest.mark.parametrize("quality", list(Quality))
def test_quality_is_kept_and_corrected(store, make, quality):
    """A point has the quality it was last written with, raw and as the latest."""
    first = make(START_MS, 5, quality=Quality.SUSPECT)
    store.write([first])
    store.write([make(START_MS, 5, quality=quality)])
    assert [point.quality for point in store.query(first.series, START_MS, START_MS + 1)] == [quality]
    assert store.latest([first.series])[first.series].quality is quality


def test_the_last_of_a_batch_wins(store, make):
    """Of two readings of one series and time in one batch the later in the batch is kept."""
    batch = [make(START_MS, 1), make(START_MS + 1, 7), make(START_MS, 2, quality=Quality.LATE)]
    store.write(batch)
    points = store.query(batch[0].series, START_MS, START_MS + 2)
    assert [(point.value, point.quality) for point in points] == [(2.0, Quality.LATE), (7.0, Quality.GOOD)]


def test_the_latest_of_some_or_all(store, device, make):
    """Asked for nothing nothing comes, asked for all every series is there, unknown ones are left out."""
    power = make(START_MS, 2, quantity=Quantity.ACTIVE_POWER)
    store.write([make(START_MS, 1), make(START_MS + 5, 3), make(START_MS + 1, 9), power])
    temperature = Series(device, Quantity.TEMPERATURE)
    assert store.latest([]) == {}
    assert {one: point.value for one, point in store.latest().items() if one.device == device} == {
        temperature: 3.0,
        power.series: 2.0,
    }
    assert store.latest([temperature, Series(device, Quantity.HUMIDITY)]).keys() == {temperature}
    assert store.latest(
        [Series(f"{device}-{n}", Quantity.HUMIDITY) for n in range(80)] + [temperature]
    ).keys() == {temperature}


def test_a_limit_cuts_the_end(store, make):
    """A limit keeps the oldest points, raw and by step."""
    store.write([make(START_MS + n * 60_000, n) for n in range(10)])
    series = make(0, 0).series
    span = (START_MS, START_MS + 600_000)
    assert [point.value for point in store.query(series, *span, limit=3)] == [0.0, 1.0, 2.0]
    steps = store.query(series, *span, step_ms=120_000, aggregate=Aggregate.SUM, origin_ms=START_MS, limit=2)
    assert [(point.time_ms - START_MS, point.value) for point in steps] == [(0, 1.0), (120_000, 5.0)]


@pytest.mark.differs("victoriametrics")  # 15 digits
def test_extreme_values_and_milliseconds_survive(store, make):
    """Values come back to the last bit, times to the millisecond."""
    values = [0.1 + 0.2, -1e-300, 1e99, 123456789.123456789, 5e-324]
    store.write([make(START_MS + n, value) for n, value in enumerate(values)])
    points = store.query(make(0, 0).series, START_MS, START_MS + 100)
    assert [(point.time_ms - START_MS, repr(point.value)) for point in points] == [
        (n, repr(value)) for n, value in enumerate(values)
    ]
