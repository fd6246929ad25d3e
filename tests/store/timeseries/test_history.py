"""A history from files and from a store: in order, part by part, and every mistake with its row and column."""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
from pathlib import Path
from unittest.mock import Mock

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import BadHistory
from store.timeseries import history as history_module
from store.timeseries import history_file, history_parquet
from store.timeseries.history import History, stored_history
from store.timeseries.history_file import read_history
from store.timeseries.opening import open_store

HEAD = "time,device,quantity,value,channel,unit\n"
GOOD = "2026-11-20T08:00:00+08:00,m,water_flow,3600,,l/h\n"
GOOD_MS = 1_795_132_800_000


def written(folder, text, name="h.csv"):
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize(
    ("row", "where", "found"),
    [
        ("2026-11-20T08:00:00,m,water_flow,1,,", "h.csv:3:time", "2026-11-20T08:00:00"),
        ("yesterday,m,water_flow,1,,", "h.csv:3:time", "yesterday"),
        (",m,water_flow,1,,", "h.csv:3:time", "nothing"),
        ("2026-11-20T08:00:00+08:00,m,watre_flow,1,,", "h.csv:3:quantity", "watre_flow"),
        ("2026-11-20T08:00:00+08:00,m,water_flow,much,,", "h.csv:3:value", "much"),
        ("2026-11-20T08:00:00+08:00,m,water_flow,nan,,", "h.csv:3:value", "nan"),
        ("2026-11-20T08:00:00+08:00,m,water_flow,1,,kWh", "h.csv:3:unit", "kWh"),
        ("2026-11-20T08:00:00+08:00,,water_flow,1,,", "h.csv:3:device", "nothing"),
        ("2026-11-20T08:00:00+08:00,m", "h.csv:3:quantity", "nothing"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path, row, where, found):
    """With its row, its column, what was found; the rows around it are read."""
    problems = []
    readings = list(read_history(written(tmp_path, f"{HEAD}{GOOD}{row}\n\n{GOOD}"), problems))
    assert readings == [Reading(Series("m", Quantity.WATER_FLOW), 3.6, GOOD_MS, GOOD_MS)] * 2
    (problem,) = problems
    assert (problem.where(), problem.found, problem.warning) == (where, found, False)
    assert problem.expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the columns none"),
        ("time,device,value\n", "also quantity"),
        ("time,device,quantity,value,chanel\n", "did you mean channel?"),
        ("Time,device,quantity,value\n", "did you mean time?"),
        (b"time,device,quantity,value\n\xff\xfe", "expected a CSV (UTF-8)"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_no_history_is_refused(tmp_path, text, said):
    """Missing or misspelt columns, other bytes, no file at all."""
    file = tmp_path / "h.csv" if text is None else written(tmp_path, text)
    with pytest.raises(BadHistory) as error:
        read_history(file, [])
    assert said in str(error.value)
    assert "h.csv" in str(error.value)


def test_a_file_that_is_no_parquet_is_refused(tmp_path):
    """The name says Parquet, the bytes do not."""
    with pytest.raises(BadHistory, match=r"h\.parquet"):
        read_history(written(tmp_path, "time\n", "h.parquet"), [])


def test_parquet_without_its_extra_says_what_to_install(tmp_path, monkeypatch):
    """Where polars is missing a Parquet file is refused with the remedy; CSV needs nothing."""
    monkeypatch.setitem(sys.modules, "polars", None)
    monkeypatch.delitem(sys.modules, "store.timeseries.history_parquet")
    with pytest.raises(BadHistory, match=r"h\.parquet: found .*polars.*shouyuan\[parquet\]"):
        read_history(tmp_path / "h.parquet", [])
    assert len(read_history(written(tmp_path, HEAD + GOOD), [])) == 1


def test_other_columns_are_passed_over_with_a_warning(tmp_path):
    """A column of somebody else's hinders nobody, and is told."""
    problems = []
    text = "time,device,quantity,value,operator\n2026-11-20T08:00:00+08:00,m,water_flow,1,sun\n"
    assert len(read_history(written(tmp_path, "\ufeff" + text), problems)) == 1
    assert [(one.where(), one.warning) for one in problems] == [("h.csv:1:operator", True)]


def test_rows_out_of_order_are_put_in_order_and_told_once(tmp_path):
    """Devices one after the other are as usual; where one device goes back in time there is one warning."""
    rows = [
        "2026-11-20T08:00:00Z,a,temperature,1", "2026-11-20T09:00:00Z,a,temperature,2",
        "2026-11-20T08:30:00Z,b,temperature,3", "2026-11-20T08:10:00Z,a,temperature,4",
        "2026-11-20T08:20:00Z,a,temperature,5",
    ]  # fmt: skip
    problems = []
    text = "time,device,quantity,value\n" + "\n".join(rows)
    assert [one.value for one in read_history(written(tmp_path, text), problems)] == [1, 4, 5, 3, 2]
    (problem,) = problems
    assert (problem.where(), problem.warning) == ("h.csv:5:time", True)
    assert "2 rows" in problem.expected
    ordered = "time,device,quantity,value\n" + "\n".join(rows[:3])
    read_history(written(tmp_path, ordered), problems)
    assert len(problems) == 1


def test_mistakes_in_every_row_are_counted_not_listed(tmp_path):
    """A hundred are told, then how many more there are."""
    problems = []
    read_history(written(tmp_path, HEAD + "x,m,water_flow,1,,\n" * 1000), problems)
    assert len(problems) == 101
    assert problems[-1].found == "900 more rows that cannot be read"


def test_a_parquet_file_is_read_part_by_part(tmp_path, monkeypatch):
    """Never more than a part of its rows at once, with the same result; times without zone are refused."""
    monkeypatch.setattr(history_parquet, "_PART_ROWS", 7)
    monkeypatch.setattr(history_file, "_ROWS_AT_ONCE", 7)
    start = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    times = [start + dt.timedelta(minutes=n) for n in range(50)]
    table = pl.DataFrame({"time": times, "device": "m", "quantity": "temperature", "value": range(50)})
    table.write_parquet(tmp_path / "h.parquet")
    told = []
    readings = list(read_history(tmp_path / "h.parquet", [], advance=told.append))
    assert [one.value for one in readings] == list(range(50))
    assert [one.time_ms for one in readings] == [round(one.timestamp() * 1000) for one in times]
    assert told == [7] * 7 + [1]
    table.with_columns(pl.col("time").dt.replace_time_zone(None)).write_parquet(tmp_path / "h.parquet")
    problems = []
    assert len(read_history(tmp_path / "h.parquet", problems)) == 0
    assert {one.key for one in problems} == {"time"}


SERIES = [Series("a", Quantity.TEMPERATURE), Series("b", Quantity.TEMPERATURE, "probe2")]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(SERIES),
        st.floats(allow_nan=False),
        st.integers(-(2**40), 2**42),
        st.sampled_from(Quality),
    )
)


@given(ROWS, st.integers(-(2**40), 2**42), st.integers(-(2**40), 2**42), st.sampled_from([1, 3, 32_768]))
def test_what_is_added_comes_out_in_order(rows, start_ms, end_ms, at_once):
    """Whatever is added, as often as it is gone through; equal times in the order they were added."""
    history = History()
    for series, value, time_ms, quality in rows:
        history.add(history.number(series), value, time_ms, quality)
    expected = sorted((Reading(s, v, t, t, q) for s, v, t, q in rows), key=lambda one: one.time_ms)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(history_module, "_SORTED_AT_ONCE", at_once)
        assert list(history) == list(history) == expected
        history.keep(start_ms, end_ms)
        assert list(history) == [one for one in expected if start_ms <= one.time_ms < end_ms]
    assert len(history) == len(list(history))


def test_a_store_gives_its_past(tmp_path):
    """Of the devices asked for, page by page, half open in time, with their quality."""
    store = open_store("embedded", tmp_path)
    kept = [
        Reading(one, float(n), n * 1000, n * 1000, Quality.LATE if n == 3 else Quality.GOOD)
        for one in SERIES
        for n in range(25_000)
    ]
    store.write(kept)
    told = []
    found = list(stored_history(store, 2_000, 24_000_000, devices=["b"], advance=told.append))
    everything = stored_history(store, 0, 2**43)
    store.close()
    expected = [one for one in kept if one.series == SERIES[1] and 2_000 <= one.time_ms < 24_000_000]
    assert found == expected
    assert told == [20_000, 3_998]
    assert len(everything) == 50_000


FIELDS = {
    "time": [
        "2026-11-20T08:00:00+08:00", "2026-11-20T00:01:00Z", "2026-11-20 09:00:00.5+08:00", "2026-11-21T08:00:00+08:00",
        "2026-11-20T08:00:00", " 2026-11-20T08:00:00Z", "", "never",
    ],
    "device": ["a", "b", ""],
    "quantity": ["temperature", "water_flow", "heat"],
    "value": ["1", "-2.5", " 3 ", "1e400", "nan", ""],
    "channel": ["", "probe"],
    "unit": ["", "l/h", "°F", "kWh"],
}  # fmt: skip


@given(
    st.lists(
        st.tuples(*(st.sampled_from(some) | st.just(some[0]) for some in FIELDS.values())).map(",".join)
        | st.sampled_from(["", "2026-11-20T08:00:00Z,a", "2026-11-20T08:00:00Z,a,temperature,1"]),
        max_size=30,
    ),
    st.integers(1, 12),
)
def test_columns_say_what_rows_say(rows, at_once):
    """Whatever is wrong with whichever rows: taken by columns or one by one, the same is read and told."""
    found = []
    for refused in ([], [ValueError]):
        with pytest.MonkeyPatch.context() as patched, tempfile.TemporaryDirectory() as folder:
            patched.setattr(history_file, "_ROWS_AT_ONCE", at_once)
            if refused:
                patched.setattr(history_file._Table, "_take_columns", Mock(side_effect=refused[0]))
            problems = []
            file = written(Path(folder), "\n".join([",".join(FIELDS), *rows]))
            history = read_history(file, problems)
            found.append((history.series, list(history), problems))
    assert found[0] == found[1]
