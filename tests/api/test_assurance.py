"""Whether the duty page may say that all is well."""

from types import SimpleNamespace

import pytest

from api.assurance import assurance
from api.ports import Condition, Health, Part
from campus.campus import Campus
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from store.timeseries.board import Board

NOW_MS = 1_795_233_600_000
MINUTE_MS = 60_000
WELL = Health((Part("rules", Condition.OK),))


def services(heard_min, *, interval_s=60):
    """Devices by name, each heard so many minutes ago; None for never. A gateway is always among them."""
    kinds = dict.fromkeys(heard_min, "climate") | {"gateway": "gateway"}
    devices = [
        Device.model_validate(
            {"id": name, "name": name, "kind": kind, "place": Place(site="s"), "interval_s": interval_s}
        )
        for name, kind in kinds.items()
    ]
    board = Board()
    for name, minutes in heard_min.items():
        if minutes is not None:
            time_ms = NOW_MS - round(minutes * MINUTE_MS)
            board.put([Reading(Series(name, Quantity.TEMPERATURE), 20.0, time_ms, time_ms)])
    campus = Campus(site=Site(id="s", name="S"), devices=devices)
    return SimpleNamespace(campus=lambda: campus, board=board, now_ms=lambda: NOW_MS)


@pytest.mark.parametrize(
    ("heard_min", "interval_s", "silent"),
    [
        ({}, 60, 0),
        ({"a": None, "b": None}, 60, 2),  # never heard
        ({"a": 0, "b": None}, 60, 1),
        ({"a": 60, "b": 0}, 60, 0),  # within an hour, whatever its interval
        ({"a": 61, "b": 0}, 60, 1),
        ({"a": 170, "b": 0}, 3600, 0),  # three of its intervals
        ({"a": 190, "b": 0}, 3600, 1),
        ({"a": 23 * 60}, 0, 0),  # nobody said how often it speaks
        ({"a": 25 * 60}, 0, 1),
    ],
)
def test_devices_are_heard_within_their_interval(heard_min, interval_s, silent):
    """All is well only over devices that are heard; over none at all nobody can say so."""
    found = assurance(services(heard_min, interval_s=interval_s), WELL)
    assert (found.devices, found.silent) == (len(heard_min), silent)
    assert found.all_well == (silent == 0 and bool(heard_min))


@pytest.mark.parametrize("condition", [one for one in Condition if one is not Condition.OK])
def test_a_part_that_is_not_proven_well_leaves_doubt(condition):
    """Every device is heard, and a part of the service is not well: all is well is not said."""
    health = Health((Part("rules", Condition.OK), Part("store", condition, "why")))
    assert not assurance(services({"a": 0}), health).all_well


def test_the_page_says_so_with_its_ground(running):
    """Before a device was heard there is no alert, and no word that all is well."""
    for path in ("/", "/parts/alerts"):
        text = running.http.get(path).text
        assert "一切正常" not in text
        assert "没有最近的数据,那里出了问题也看不到" in text
