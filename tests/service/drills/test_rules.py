"""Rules as they judge drill devices: the real ones' numbers, their whiles compressed, rates and limits left alone."""

from __future__ import annotations

import pytest

from campus.campus import Campus
from rules.water.flow import NeverZeroParams
from service.drills.rules import compressed, drill_rules, is_while


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("for_s", True), ("critical_for_s", True), ("max_gap_s", True), ("after_closing_min", True), ("window_h", True),
        ("warning_minutes_to_0c", True), ("limit_m3h", False), ("rise_k_h", False), ("loss_m3_h", False),
        ("dead_band_k", False), ("factor", False), ("enabled", False),
    ],
)  # fmt: skip
def test_what_is_a_while(name, expected):
    """A setting's name tells: its unit is one of time, and no rate."""
    assert is_while(name) is expected


def test_the_real_devices_numbers(site, devices):
    """What rules.yaml says of the real device holds for its copy, compressed."""
    rules = {"devices": {"freezer": {"cold.above_limit": {"warning_above_c": -14, "for_s": 600}}}}
    campus = Campus(site=site, devices=devices, rules=rules)
    found = drill_rules(campus, {"drill-freezer": "freezer"}, 60)["devices"]["drill-freezer"]
    assert found["cold.above_limit"]["warning_above_c"] == -14
    assert found["cold.above_limit"]["for_s"] == 10
    real_time = drill_rules(campus, {"drill-freezer": "freezer"}, 1)["devices"]["drill-freezer"]
    assert real_time["cold.above_limit"]["for_s"] == 600


def test_a_rule_that_cannot_be_so_quick():
    """Whiles that a rule does not allow so short stay as they are; a rehearsal then tells whether it notices anything."""
    assert compressed(NeverZeroParams(), 60)["window_h"] == 24
