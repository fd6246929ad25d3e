"""Scenario files: those that come with the package, what they do to a campus, and every mistake told."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, SHANGHAI, parse_iso
from campus.folder import load_campus
from simulators.campus.generated import generated_campus
from simulators.campus.world import World
from simulators.errors import NoSuchPlace, ScenarioProblems, UnknownScenario
from simulators.faults.scenario import read_scenario, read_scenarios, scenario_named

#: a Monday in term
START_MS = parse_iso("2026-11-23T00:00:00+08:00")
READY = read_scenarios()
KINDS = {
    "leak", "blocked_meter", "meter_swap", "reboot", "cold_snap", "heating_failure", "draught", "compressor_failure", "defrost_stuck",
    "door_open", "breaker_trip", "power_cut", "left_on", "overload", "earth_leakage", "loose_neutral", "phase_lost",
    "voltage", "gateway_down", "sensor_stuck", "sensor_dying", "sensor_silent", "sensor_offset", "low_battery",
    "weak_radio", "wrong_clock", "crowd",
}  # fmt: skip


@pytest.fixture(scope="module")
def school():
    loaded = load_campus(Path(__file__).parents[2] / "examples" / "school")
    devices = [one.model_copy(update={"interval_s": 900}) for one in loaded.devices.values()]
    return Campus(site=loaded.site, devices=devices, hours=loaded.hours)


@pytest.fixture(scope="module")
def quiet(school):
    """Two and a half weeks without any fault: each device's readings."""
    return readings(World(school, seed=1), 17 * DAY_MS)


def readings(world, length_ms):
    found = {one: [] for one in world.campus.devices}
    for report in world.run(START_MS, START_MS + length_ms):
        found[report.simulated.device.id].append(
            (report.sent_ms, report.time_ms, tuple(report.values.items()))
        )
    return found


def test_the_package_has_them_all():
    """At least 25 scenarios, the ten most common first, every kind of fault, both languages, and something expected."""
    assert len(READY) >= 25
    ranks = [one.rank for one in READY.values()]
    assert ranks == sorted(set(ranks))
    assert ranks[:10] == list(range(1, 11))
    assert {fault.kind for one in READY.values() for fault in one.faults} == KINDS
    for one in READY.values():
        assert any("\u4e00" <= letter <= "\u9fff" for letter in one.title.zh + one.description.zh)
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in one.title.en + one.description.en)
        assert any(fault.expect or fault.never for fault in one.faults)
        for fault in one.faults:
            assert all(expect.within <= one.lasts + 2 * DAY_MS for expect in fault.expect)


@pytest.mark.parametrize("name", READY)
def test_a_scenario_changes_what_it_is_about(school, quiet, name):
    """Nothing before it begins, its own devices after; and the same seed makes the same of it."""
    scenario = READY[name]
    world = World(school, seed=1)
    labels = world.begin(scenario, START_MS)
    begins_ms = min(label.start_ms for label in labels)
    length_ms = min(17 * DAY_MS, max(label.end_ms for label in labels) - START_MS)
    found = readings(world, length_ms)
    changed = set()
    for device, said in found.items():
        usual = [one for one in quiet[device] if one[0] < START_MS + length_ms]
        differing = list(itertools.chain(*_difference(usual, said)))
        assert all(one[0] >= begins_ms for one in differing), device
        if differing:
            changed.add(device)
    assert changed
    for label in labels:
        assert not label.devices or changed & set(label.devices), label
        for expect in label.expect:
            assert expect.by_ms > label.start_ms
            assert not expect.subjects or set(expect.subjects) <= set(school.devices)
    assert World(school, seed=1).begin(scenario, START_MS) == labels


def _difference(usual, said):
    return set(usual) - set(said), set(said) - set(usual)


def test_every_scenario_fits_a_made_up_campus():
    """One of 58 devices has a place for each; the same scenario again takes another place while one is left."""
    world = World(generated_campus(58, year=2026), seed=2)
    for one in READY.values():
        assert world.begin(one, START_MS)
    leak = READY["burst_main"]
    first, second = (world.begin(leak, START_MS + 30 * DAY_MS)[0] for _ in range(2))
    assert first.devices != second.devices
    assert first.covers(first.devices[0], first.start_ms)
    assert not first.covers(first.devices[0], first.end_ms)
    assert first.covers(first.devices[0], first.end_ms, grace_ms=1)


def test_physics_tell_what_they_did(school):
    """A frozen pipe's own incidents are labels, too, and its burst flows through the meter that feeds it."""
    world = World(school, seed=1)
    (_, label) = world.begin(READY["pipe_bursts_on_thaw"], START_MS)
    list(world.run(START_MS, START_MS + 4 * DAY_MS))
    natural = {
        one.kind: one for one in world.labels() if not one.scenario and one.devices == label.devices[:1]
    }
    assert {"pipe_cold", "pipe_frozen", "pipe_burst"} <= set(natural)
    assert natural["pipe_frozen"].start_ms < natural["pipe_burst"].start_ms
    building = school.device(label.devices[0]).place.building
    meter = world.fleet.feeding(building)
    assert meter.leaks.at(natural["pipe_burst"].start_ms + HOUR_MS) == pytest.approx(25 * 0.06)
    assert all("water" in one for expect in label.expect[1:] for one in expect.subjects), (
        "the leak is the meter's to tell"
    )


GOOD = """\
rank: 7
title: {zh: 名, en: name}
description: {zh: 说明, en: text}
lasts: 2h
faults:
  - kind: leak
    place: {kind: water_meter}
    start: "22:30"
    lasts: 1h
    flow_l_min: 3
    expect:
      - {rules: [water.burst], level: critical, within: 15m}
"""


def written(folder, text):
    path = folder / "story.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("kind: leak", "kind: leek", "faults[0]", "did you mean leak?"),
        ("kind: leak", "sort: leak", "faults[0]", "the key kind"),
        ("flow_l_min: 3", "flow_l_min: -3", "faults[0].flow_l_min", "greater than 0"),
        ("flow_l_min: 3", "flow_l_min: much", "faults[0].flow_l_min", "a number"),
        ("flow_l_min: 3", "flow_lmin: 3", "faults[0].flow_lmin", "did you mean flow_l_min?"),
        ("    flow_l_min: 3\n", "", "faults[0].flow_l_min", "a value"),
        ('"22:30"', "22:30", "faults[0].start", "in quotes"),
        ('"22:30"', '"25:30"', "faults[0].start", "a duration"),
        ('"22:30"', '"-2h"', "faults[0].start", "before"),
        ("lasts: 1h", "lasts: 60", "faults[0].lasts", "with its unit"),
        ("lasts: 1h", "lasts: 0s", "faults[0].lasts", "greater than 0"),
        ("within: 15m", "within: soon", "faults[0].expect[0].within", "with its unit"),
        ("level: critical", "level: bad", "faults[0].expect[0].level", "one of notice, warning, critical"),
        ("[water.burst]", "[burst]", "faults[0].expect[0].rules[0]", "such as water.burst"),
        ("[water.burst]", "[]", "faults[0].expect[0].rules", "at least 1"),
        ("{kind: water_meter}", "{kind: water_metre}", "faults[0].place.kind", "did you mean water_meter?"),
        ("{kind: water_meter}", "{same_as: 0}", "", "a fault before it"),
        ("{kind: water_meter}", "{count: 0}", "faults[0].place.count", ""),
        ("rank: 7", "rank: first", "rank", "a whole number"),
        ("rank: 7\n", "", "rank", "a value"),
        ("rank: 7", "rank: 7\nname: story", "name", "the file's name is it"),
        ("en: name", "en: ''", "title.en", "at least 1"),
        (", en: name", "", "title.en", "a value"),
        ("rank: 7", "rank: 7\nrank: 8", "rank", "given once"),
        ("faults:", "fault:", "fault", "did you mean faults?"),
        ("title:", "title: [", "", "valid YAML"),
    ],
)  # fmt: skip
def test_every_mistake_is_told(tmp_path, old, new, key, words):
    """By file, key, what was found and what was expected."""
    assert old in GOOD
    with pytest.raises(ScenarioProblems) as caught:
        read_scenario(written(tmp_path, GOOD.replace(old, new, 1)))
    found = [one for one in caught.value.problems if key in one.key and words in one.expected]
    assert found, caught.value
    assert all(one.file == "story.yaml" and one.found for one in caught.value.problems)


def test_files_that_are_none(tmp_path):
    """An empty, a missing and a binary file are told; a folder's mistakes come all at once."""
    for raw in (b"", b"\xff\xfe\x00", b"- 1\n"):
        (tmp_path / "story.yaml").write_bytes(raw)
        with pytest.raises(ScenarioProblems, match=r"story\.yaml"):
            read_scenario(tmp_path / "story.yaml")
    with pytest.raises(ScenarioProblems, match="no such file"):
        read_scenario(tmp_path / "none.yaml")
    written(tmp_path, GOOD.replace("rank: 7", "rank: 0"))
    (tmp_path / "other.yaml").write_text(GOOD.replace("leak", "leek"), encoding="utf-8")
    with pytest.raises(ScenarioProblems) as caught:
        read_scenarios(tmp_path)
    assert {one.file for one in caught.value.problems} == {"story.yaml", "other.yaml"}


def test_names_and_files(tmp_path):
    """A scenario is found by name or by file; a name nearly right gets a hint."""
    assert scenario_named("burst_main", READY) is READY["burst_main"]
    assert scenario_named(str(written(tmp_path, GOOD)), READY).name == "story"
    with pytest.raises(UnknownScenario, match="did you mean burst_main"):
        scenario_named("burst_mian", READY)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("{device: water-t9}", "device water-t9 is not on this campus"),
        ("{building: t9}", "building t9 is not on this campus"),
        ("{kind: cold_storage}", "a water meter among"),
        ("{use: sports}", "use sports is not on this campus"),
    ],
)
def test_a_place_that_is_not_there(school, tmp_path, place, words):
    """The scenario, the key, what was asked for and what would do; nothing has happened then."""
    scenario = read_scenario(written(tmp_path, GOOD.replace("{kind: water_meter}", place)))
    world = World(school, seed=1)
    with pytest.raises(NoSuchPlace, match=words) as caught:
        world.begin(scenario, START_MS)
    assert "story: faults[0].place" in str(caught.value)
    assert world.labels() == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("door_open", "a cold storage"),
        ("power_cut", "a building"),
        ("gateway_down", "a gateway"),
        ("blocked_meter", ""),
    ],
)
def test_a_second_fault_at_the_same_place(school, tmp_path, kind, words):
    """Happens there where it can, and is refused where the place is of another sort."""
    more = f"  - {{kind: {kind}, place: {{same_as: 0}}, never: [water.burst]}}\n"
    scenario = read_scenario(written(tmp_path, GOOD + more))
    world = World(school, seed=1)
    if words:
        with pytest.raises(NoSuchPlace, match=words):
            world.begin(scenario, START_MS)
    else:
        first, second = world.begin(scenario, START_MS)
        assert first.devices == second.devices


@pytest.mark.parametrize(
    ("start", "begins"),
    [
        ("90m", "2026-11-23T01:30:00+08:00"),
        ("22:30", "2026-11-23T22:30:00+08:00"),
        ("sat 10:00", "2026-11-28T10:00:00+08:00"),
        ("mon 00:00", "2026-11-23T00:00:00+08:00"),
    ],
)
def test_starts(school, tmp_path, start, begins):
    """After a while, at the next such time, on the next such day; and what is expected counts from then."""
    scenario = read_scenario(written(tmp_path, GOOD.replace("22:30", start)))
    (label,) = World(school, seed=1).begin(scenario, START_MS)
    assert label.start_ms == parse_iso(begins, SHANGHAI)
    assert label.end_ms == label.start_ms + HOUR_MS
    assert label.expect[0].by_ms == label.start_ms + 15 * MINUTE_MS


def test_the_document_knows_all_of_it():
    """Every kind of fault and every rule a scenario expects stands in docs/simulators.md."""
    text = (Path(__file__).parents[2] / "docs" / "simulators.md").read_text(encoding="utf-8")
    rules = {
        rule
        for one in READY.values()
        for fault in one.faults
        for rule in itertools.chain(fault.never, *(expect.rules for expect in fault.expect))
    }
    missing = [one for one in sorted(KINDS | rules) if f"`{one}`" not in text]
    assert missing == []


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=8)
        | st.sampled_from(["leak", "2h", "22:30"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["rank", "title", "zh", "en", "lasts", "faults", "kind", "place", "start", "expect", "x"]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=20,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_its_mistakes_are_told(tmp_path, body):
    """Any YAML is a scenario or a list of problems, never another error."""
    path = written(tmp_path, yaml.safe_dump(body))
    try:
        read_scenario(path)
    except ScenarioProblems as error:
        assert error.problems
