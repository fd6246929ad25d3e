"""The embedded store: roll-ups that are right at all times, threads, and files that are not as they should be."""

import sqlite3
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_support import REFERENCE

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import PointRefused, StoreDamaged, StoreUnavailable
from store.timeseries.contract import Aggregate, Point
from store.timeseries.embedded import EmbeddedStore, blocks

SERIES = (Series("a", Quantity.TEMPERATURE), Series("b", Quantity.TEMPERATURE, "probe2"))
STEPS_MS = (7 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, DAY_MS)
END_MS = 2 * DAY_MS
MOMENTS = st.one_of(
    st.integers(0, 3 * HOUR_MS),  # few hours, so that points, roll-ups and deletions meet
    st.integers(0, END_MS - 1),
    st.sampled_from([0, HOUR_MS - 1, HOUR_MS, HOUR_MS + 1, DAY_MS - 1, DAY_MS, END_MS - 1]),
)
SPANS = st.one_of(st.just((0, END_MS)), st.tuples(MOMENTS, MOMENTS))
WRITES = st.lists(
    st.tuples(st.sampled_from(SERIES), MOMENTS, st.integers(-1000, 1000), st.sampled_from(list(Quality))),
    max_size=25,
)
ACTIONS = st.lists(
    st.one_of(
        WRITES,
        st.just("pack"),
        st.just("reopen"),
        st.just("repeat"),
        MOMENTS,  # forget what lies before
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "timeseries.db"


@pytest.fixture
def store(path):
    opened = EmbeddedStore(path)
    yield opened
    opened.close()


def reading(time_ms, value=1.0, series=SERIES[0]):
    return Reading(series, float(value), time_ms, time_ms)


def expected(points, start_ms, end_ms, step_ms, aggregate, origin_ms):
    steps = {}
    for time_ms, (value, _) in sorted(points.items()):
        if start_ms <= time_ms < end_ms:
            steps.setdefault(time_ms - (time_ms - origin_ms) % step_ms, []).append(value)
    return [Point(start, float(REFERENCE[aggregate](values))) for start, values in sorted(steps.items())]


def play(store, reopen, actions):
    """Does *actions* to the store and to plain dictionaries; returns the store left open and the latter."""
    known = {one: {} for one in SERIES}
    last = []
    for action in actions:
        if action == "pack":
            store.pack()
        elif action == "reopen":
            store.close()
            store = reopen()
        elif isinstance(action, int):
            forgotten = sum(time_ms < action for points in known.values() for time_ms in points)
            assert store.delete_before(action) == forgotten
            known = {
                one: {at: kept for at, kept in points.items() if at >= action}
                for one, points in known.items()
            }
            last = []
        else:
            last = last if action == "repeat" else action
            store.write([Reading(one, float(value), at, at, quality) for one, at, value, quality in last])
            for one, at, value, quality in last:
                known[one][at] = (float(value), quality)
    return store, known


@settings(max_examples=150, deadline=None)
@given(
    actions=ACTIONS,
    sizes=st.tuples(st.sampled_from([1, 20, 10_000]), st.sampled_from([2, 16, 1024])),
    span=SPANS,
    step_ms=st.sampled_from(STEPS_MS),
    origin_ms=st.sampled_from([0, 16 * HOUR_MS, -8 * HOUR_MS, 90 * DAY_MS, 5 * MINUTE_MS]),
)
def test_whatever_happens_answers_equal_plain_arithmetic(
    tmp_path_factory, actions, sizes, span, step_ms, origin_ms
):
    """Late, repeated, corrected and forgotten data, packed or not, in any block: every answer is a dictionary's."""
    path = tmp_path_factory.mktemp("store") / "timeseries.db"
    fresh_readings, block_points = sizes

    def reopen():
        return EmbeddedStore(path, fresh_readings=fresh_readings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "MOST_POINTS", block_points)
        store, known = play(reopen(), reopen, actions)
    try:
        for one, points in known.items():
            raw = [Point(at, value, quality) for at, (value, quality) in sorted(points.items())]
            assert store.query(one, 0, END_MS) == raw
            assert store.query(one, 0, END_MS, limit=3) == raw[:3]
            assert store.latest([one]) == ({one: raw[-1]} if raw else {})
            for aggregate in Aggregate:
                found = store.query(one, *span, step_ms=step_ms, aggregate=aggregate, origin_ms=origin_ms)
                wanted = expected(points, *span, step_ms, aggregate, origin_ms)
                assert [point.time_ms for point in found] == [point.time_ms for point in wanted]
                assert [point.value for point in found] == pytest.approx([point.value for point in wanted])
        assert store.series() == [one for one in SERIES if known[one]]
        assert store.info().readings == sum(map(len, known.values()))
    finally:
        store.close()


def test_hours_are_read_from_roll_ups(store, path):
    """A long question by whole hours does not touch the points of hours that are packed."""
    store.write([reading(n * 10 * MINUTE_MS, n) for n in range(60)])
    store.pack()
    with sqlite3.connect(path) as connection:  # were the points read, nothing could be answered
        connection.execute("UPDATE blocks SET points = x'00'")
    connection.close()
    found = store.query(SERIES[0], 0, 10 * HOUR_MS, step_ms=HOUR_MS, aggregate=Aggregate.COUNT)
    assert [point.value for point in found] == [6.0] * 10
    with pytest.raises(StoreDamaged, match="series 1: the block from 0 to"):
        store.query(SERIES[0], 0, 10 * HOUR_MS)


def test_a_damaged_block_stops_no_new_points(store, path):
    """A block that cannot be read is put aside when points come for its time, and these are stored."""
    store.write([reading(n * 1000, n) for n in range(60)])
    store.pack()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE blocks SET points = substr(points, 1, 20)")
    store.write([reading(500, 7), reading(70_000, 8)])
    store.pack()
    assert [point.value for point in store.query(SERIES[0], 0, HOUR_MS)] == [7.0, 8.0]
    assert connection.execute("SELECT last_ms, n FROM damaged").fetchall() == [(59_000, 60)]
    connection.close()


def test_packing_goes_on_with_the_writes(path):
    """When enough is fresh, every later write packs about twice what it brings, and the rows of it then go."""
    store = EmbeddedStore(path, fresh_readings=100)
    for n in range(30):
        store.write([reading(n * 1000, n, Series(f"d{number}", Quantity.ENERGY)) for number in range(10)])
    with sqlite3.connect(path) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM fresh").fetchone()
        (packed,) = connection.execute("SELECT sum(n) FROM blocks").fetchone()
    connection.close()
    assert 1 <= rows <= 20
    assert packed >= 100
    assert [len(store.query(one, 0, HOUR_MS)) for one in store.series()] == [30] * 10
    store.close()


@pytest.mark.parametrize("kept", [-1, 1])
def test_a_packing_that_fails_leaves_all_as_it_was(path, kept):
    """A full disk while packing undoes that step alone: what was written stays, and packing succeeds later."""
    store = EmbeddedStore(path, fresh_readings=10)
    store.write([reading(n, n, one) for n in range(10) for one in SERIES])
    with sqlite3.connect(path) as connection:
        connection.execute(
            f"CREATE TRIGGER full BEFORE INSERT ON blocks WHEN NEW.key >> 44 > {kept}"
            " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    with pytest.raises(StoreUnavailable, match="disk full"):
        store.pack()
    assert [len(store.query(one, 0, 99)) for one in SERIES] == [10, 10]
    connection.execute("DROP TRIGGER full")
    connection.commit()
    connection.close()
    store.pack()
    assert [len(store.query(one, 0, 99)) for one in SERIES] == [10, 10]
    assert store.info().readings == 20
    store.close()


def total_of(store):
    return sum(
        point.value for point in store.query(SERIES[0], 0, DAY_MS, step_ms=DAY_MS, aggregate=Aggregate.SUM)
    )


def test_closed_hours_live_on_in_their_roll_ups(store):
    """With the hours kept, raw points go, sums by hour and day stay, and late data is refused, not half counted."""
    store.write([reading(n * 10 * MINUTE_MS, 1) for n in range(18)])
    assert store.delete_before(2 * HOUR_MS + MINUTE_MS, keep_hours=True) == 12
    assert len(store.query(SERIES[0], 0, DAY_MS)) == 6
    with pytest.raises(PointRefused) as caught:
        store.write([reading(MINUTE_MS, 100), reading(2 * HOUR_MS + MINUTE_MS, 1)])
    assert caught.value.refused == ((0, "its hour is closed: only the roll-up is kept of it"),)
    assert total_of(store) == 19.0
    assert store.delete_before(3 * HOUR_MS) == 7
    store.write([reading(MINUTE_MS, 100)])
    assert total_of(store) == 100.0


@pytest.mark.parametrize("packed", [True, False])
def test_an_hour_that_is_cut_counts_what_is_left(store, packed):
    """Forgetting up to the middle of an hour takes its first half out of its sums, packed or not."""
    store.write([reading(n * 10 * MINUTE_MS, 10) for n in range(6)])
    if packed:
        store.pack()
    assert store.delete_before(30 * MINUTE_MS) == 3
    for _ in range(2):  # and once more when the cut hour is packed again
        points = store.query(SERIES[0], 0, DAY_MS, step_ms=HOUR_MS, aggregate=Aggregate.SUM)
        assert [point.value for point in points] == [30.0]
        store.pack()


def test_an_hour_cut_to_nothing_is_gone(store):
    """A series whose only, rolled-up hour lost every point is no longer listed."""
    store.write([reading(0), reading(0, 1, SERIES[1]), reading(MINUTE_MS, 1, SERIES[1])])
    store.pack()
    store.delete_before(1)
    assert store.series() == [SERIES[1]]


def test_every_hour_is_kept_when_its_points_go(store):
    """Thousands of hours, more than a block takes, are all kept when the points are removed."""
    store.write([reading(n * HOUR_MS, 1) for n in range(6_000)])
    store.delete_before(6_000 * HOUR_MS, keep_hours=True)
    found = store.query(SERIES[0], 0, 6_000 * HOUR_MS, step_ms=6_000 * HOUR_MS, aggregate=Aggregate.COUNT)
    assert [point.value for point in found] == [6_000.0]


def test_hours_closed_day_by_day_are_one_history(store):
    """Closing a little each day gives the same sums as closing all at once, hours that lay in two blocks included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "MOST_POINTS", 7)
        store.write([reading(n * 10 * MINUTE_MS, n) for n in range(24 * 6 * 4)])
        for day in (1, 2, 3):
            store.delete_before(day * DAY_MS, keep_hours=True)
    found = store.query(SERIES[0], 0, 4 * DAY_MS, step_ms=HOUR_MS, aggregate=Aggregate.SUM)
    assert [point.value for point in found] == [sum(range(h * 6, h * 6 + 6)) for h in range(96)]
    assert store.info().readings == 144
    assert store.delete_before(36 * HOUR_MS) == 0
    days = store.query(SERIES[0], 0, 4 * DAY_MS, step_ms=DAY_MS, aggregate=Aggregate.COUNT)
    assert [point.value for point in days] == [72.0, 144.0, 144.0]


def test_everything_is_there_after_reopening(path):
    """Series, points, latest and closed hours are those of the file."""
    first = EmbeddedStore(path)
    first.write([reading(n * HOUR_MS, n) for n in range(5)])
    first.delete_before(HOUR_MS, keep_hours=True)
    first.close()
    second = EmbeddedStore(path)
    assert second.series() == [SERIES[0]]
    assert second.latest()[SERIES[0]].value == 4.0
    with pytest.raises(PointRefused):
        second.write([reading(0, 9)])
    assert total_of(second) == 10.0
    second.close()


def test_a_failed_write_leaves_nothing(store, path):
    """A write that fails half way is undone as a whole, new series included, and works when tried again."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON fresh BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    connection.commit()
    with pytest.raises(StoreUnavailable, match="disk full"):
        store.write([reading(1)])
    assert (store.series(), store.query(SERIES[0], 0, 9)) == ([], [])
    connection.execute("DROP TRIGGER full")
    connection.commit()
    connection.close()
    store.write([reading(1)])
    assert store.query(SERIES[0], 0, 9) == [Point(1, 1.0)]


def test_readers_and_writers_at_once(store):
    """While batches are written, every reader sees whole batches only, from threads that come and go."""
    stop = threading.Event()
    torn, failed = [], []

    def read():
        try:
            while not stop.is_set():
                counts = [len(store.query(SERIES[0], 0, END_MS)), len(store.latest())]
                if counts[0] % 50 or counts[1] not in {0, 2}:
                    torn.append(counts)
        except Exception as error:  # noqa: BLE001 - whatever a thread meets fails the test
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for batch in range(40):
        store.write([reading(batch * 50 + n) for n in range(50)] + [reading(batch, 1, SERIES[1])])
        store.pack()
    stop.set()
    for thread in threads:
        thread.join()
    assert (torn, failed) == ([], [])
    assert len(store.query(SERIES[0], 0, END_MS)) == 2000


def test_writers_take_turns(store):
    """Writers of new series from several threads never share a number."""
    named = [Series(f"d{n}", Quantity.ENERGY) for n in range(40)]

    def write(part):
        for one in part:
            store.write([reading(5, named.index(one), one)])

    threads = [threading.Thread(target=write, args=(named[start::4] + named,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one: point.value for one, point in store.latest().items()} == {
        one: float(number) for number, one in enumerate(named)
    }


def test_readers_are_lent_not_kept(store):
    """A hundred short-lived threads need one connection, not a hundred."""
    for _ in range(100):
        thread = threading.Thread(target=store.latest)
        thread.start()
        thread.join()
    assert len(store._connections._idle) == 1


def test_a_file_that_is_no_database(path):
    """Garbage in place of the file is said as such, and is not overwritten."""
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        EmbeddedStore(path)
    assert path.read_bytes().startswith(b"not a database at all")


def test_a_closed_store_is_unavailable(path):
    """After closing, reading and writing say so."""
    store = EmbeddedStore(path)
    store.close()
    with pytest.raises(StoreUnavailable):
        store.latest()
    with pytest.raises(StoreUnavailable):
        store.write([reading(1)])
