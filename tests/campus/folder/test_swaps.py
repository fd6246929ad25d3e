"""meter_swaps.csv: what a school writes down when a meter is replaced."""

import pytest

from campus.clock import parse_iso
from campus.device import MeterSwap
from campus.folder import check_folder, load_campus

DEVICES = "编号,名称,类型,最大流量\nw,总水表,水表,25\nv,分表,水表,\n"


def test_a_swap_reaches_its_device(write):
    """The day is local, the new index is 0 where nothing stands, and several swaps are in the order of time."""
    rows = '编号,更换时间,旧表止码,新表起码,备注\nw,2026-11-02 9:30,"5,021.7",,停走\nw,2025-01-05,100,3.5,\n'
    campus = load_campus(write(**{"devices.csv": DEVICES, "meter_swaps.csv": rows}))
    assert campus.device("w").swaps == (
        MeterSwap(time_ms=parse_iso("2025-01-05T00:00:00+08:00"), end=100, start=3.5),
        MeterSwap(time_ms=parse_iso("2026-11-02T09:30:00+08:00"), end=5021.7, start=0),
    )
    assert campus.device("w").most_per_hour == 25
    assert campus.device("v").swaps == ()


@pytest.mark.parametrize(
    ("row", "where", "found", "expected"),
    [
        ("x,2026-01-01,1,0", "device", "x", "the id of a device"),
        ("ww,2026-01-01,1,0", "device", "ww", "did you mean w?"),
        ("w,soon,1,0", "time", "soon", "2026-11-21 10:30"),
        ("w,2026-01-01,,0", "end", "nothing", "the index"),
        ("w,2026-01-01,-1,0", "end", "-1", "the index"),
        ("w,2026-01-01,1,nan", "start", "nan", "the index"),
    ],
)
def test_mistakes_are_told_with_their_place(write, row, where, found, expected):
    """Row and column, what stands there, and what should."""
    folder = write(**{"devices.csv": DEVICES, "meter_swaps.csv": f"device,time,end,start\n{row}\n"})
    (mistake,) = check_folder(folder)
    assert (mistake.where(), mistake.found) == (f"meter_swaps.csv:2:{where}", found)
    assert expected in mistake.expected


def test_a_device_whose_row_is_wrong_is_still_known(write):
    """One wrong kind in the register is one problem, not one more for each swap of that device."""
    files = {"devices.csv": "id,name,kind\nw,W,?\n", "meter_swaps.csv": "device,time,end\nw,2026-01-01,1\n"}
    assert [one.where() for one in check_folder(write(**files))] == ["devices.csv:2:kind"]
