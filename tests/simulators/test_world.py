"""A world in time: its order, its seams, its messages, its radio, and the campus it is made of."""

from __future__ import annotations

import itertools
import statistics
import sys

import polars as pl
import pytest

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, parse_iso
from campus.device import Kind
from campus.folder import check_folder, load_campus
from campus.quantity import Quantity
from ingest.decoding.registry import decoder_names
from ingest.message import Message
from ingest.message_reader import MessageReader
from rules.engine.settings import check as check_rules
from simulators.campus.folder import write_folder
from simulators.campus.generated import generated_campus, school_terms
from simulators.campus.world import World
from simulators.errors import ParquetMissing
from simulators.faults.scenario import read_scenarios
from simulators.output.history import open_history
from store.timeseries.history_file import read_history

START_MS = parse_iso("2026-11-23T00:00:00+08:00")


@pytest.fixture(scope="module")
def small():
    return generated_campus(58, year=2026, interval_s=300)


def flat(reports):
    return [(one.sent_ms, one.time_ms, one.simulated.device.id, tuple(one.values.items())) for one in reports]


def test_reports_come_in_order_and_spans_join(small):
    """By the time the broker has them; in pieces as in one go."""
    whole = flat(World(small, seed=4).run(START_MS, START_MS + 6 * HOUR_MS))
    assert [one[0] for one in whole] == sorted(one[0] for one in whole)
    world = World(small, seed=4)
    cuts = [START_MS, START_MS + HOUR_MS, START_MS + HOUR_MS + 1, START_MS + 6 * HOUR_MS]
    pieces = [flat(world.run(begin, end)) for begin, end in itertools.pairwise(cuts)]
    assert [one for piece in pieces for one in piece] == whole


def test_messages_are_the_same_to_the_byte_with_faults(small):
    """Whoever reads the readings or the messages first."""

    def messages(read_first):
        world = World(small, seed=9)
        world.begin(read_scenarios()["dying_sensor"], START_MS)
        found = []
        for report in world.run(START_MS, START_MS + 8 * HOUR_MS):
            if read_first:
                list(report.readings())
            found += report.publications(small.site)
        return found

    first = messages(read_first=False)
    assert first == messages(read_first=True)
    assert len({one.topic for one in first}) > 50


def test_the_radio_loses_repeats_and_delays(small):
    """About 1 % of LoRaWAN messages are lost, a few come twice or late; wired meters hardly ever."""
    world = World(small, seed=1)
    sent, late, twice = dict.fromkeys(small.devices, 0), 0, 0
    for report in world.run(START_MS, START_MS + 5 * DAY_MS):
        sent[report.simulated.device.id] += 1
        late += report.sent_ms - report.time_ms > MINUTE_MS
        twice += 0 < report.sent_ms - report.time_ms < MINUTE_MS
    due = 5 * DAY_MS / (300 * 1000)
    share = {
        kind: statistics.mean(sent[one.id] / due for one in small.devices.values() if one.decoder == kind)
        for kind in ("chirpstack_v4", "shelly_gen2")
    }
    assert 0.98 < share["chirpstack_v4"] < 0.997
    assert share["shelly_gen2"] > 0.997
    assert late > 0
    assert twice > 0


@pytest.mark.parametrize("devices", [1, 58, 200, 2000])
def test_a_made_up_campus_is_a_right_one(tmp_path, devices):
    """As many speaking devices as asked for; as a folder without a mistake; read again, the same register."""
    made = generated_campus(devices, year=2026)
    assert sum(one.kind is not Kind.GATEWAY for one in made.devices.values()) == devices
    write_folder(made, school_terms(2026), tmp_path)
    assert check_folder(tmp_path, decoders=decoder_names(), check_rules=check_rules) == []
    again = load_campus(tmp_path)
    assert again.devices == made.devices
    assert again.site.buildings == made.site.buildings
    for building in made.site.buildings:
        for hour in range(0, 24 * 14, 5):
            moment = START_MS + hour * HOUR_MS
            assert again.hours.opening(building.id, moment) == made.hours.opening(building.id, moment)


def test_its_messages_are_understood():
    """Every message of a made-up campus comes through ingest, and those of its faults, too."""
    made = generated_campus(58, year=2026)
    world = World(made, seed=3)
    for name in ("loose_neutral", "earth_leakage", "meter_swap", "stuck_sensor", "battery_low"):
        world.begin(read_scenarios()[name], START_MS)
    judge = MessageReader(lambda: made)
    seen = set()
    for report in itertools.chain(world.everyone(START_MS), world.run(START_MS, START_MS + 20 * MINUTE_MS)):
        for one in report.publications(made.site):
            judgement = judge(Message(one.topic, one.payload, report.sent_ms))
            assert judgement.held == (), one
            seen |= {reading.series.device for reading in judgement.readings}
    assert seen == {one.id for one in made.devices.values() if one.decoder}


def test_sentinels_of_a_dying_probe_are_not_taken_for_temperatures():
    """What a probe says when it is not there is refused or held suspect by ingest, in each format."""
    made = generated_campus(58, year=2026)
    world = World(made, seed=3)
    judge = MessageReader(lambda: made)
    checked = set()
    for one in world.fleet.devices.values():
        if one.device.kind not in {Kind.COLD_STORAGE, Kind.PIPE_PROBE}:
            continue
        for sentinel in one.sensor._sentinels_c:
            for message in one.publications({(Quantity.TEMPERATURE, ""): sentinel}, START_MS, made.site):
                for reading in judge(Message(message.topic, message.payload, START_MS)).readings:
                    temperature = reading.series.quantity is Quantity.TEMPERATURE
                    assert not temperature or reading.quality != 0 or sentinel == 0.0, (message, reading)
                checked.add(one.device.decoder)
    assert checked == {"zigbee2mqtt", "tts_v3", "chirpstack_v4", "tasmota"}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_history_is_read_again_as_it_was(small, tmp_path, ending):
    """What is written to a file is what ``replay`` reads, in canonical units, to the millisecond."""
    path = tmp_path / f"history.{ending}"
    with open_history(path, list(small.devices)) as history:
        for begin in (START_MS, START_MS + HOUR_MS):
            history.write(World(small, seed=1).readings(begin, begin + HOUR_MS))
    meant = [
        (one.series, one.value, one.time_ms)
        for begin in (START_MS, START_MS + HOUR_MS)
        for one in World(small, seed=1).readings(begin, begin + HOUR_MS)
    ]
    problems = []
    found = [(one.series, one.value, one.time_ms) for one in read_history(path, problems)]
    assert problems == []
    assert sorted(found) == sorted(meant)
    table = pl.read_parquet(path) if ending == "parquet" else pl.read_csv(path)
    assert set(table.columns) == {"time", "device", "quantity", "value", "channel", "unit"}


def test_parquet_without_its_extra_says_what_to_install(tmp_path, monkeypatch):
    """Where polars is missing the file is refused with the remedy, before anything is simulated."""
    monkeypatch.setitem(sys.modules, "polars", None)
    monkeypatch.delitem(sys.modules, "simulators.output.history_parquet", raising=False)
    with pytest.raises(ParquetMissing, match=r"h\.parquet: .*shouyuan\[parquet\]"):
        open_history(tmp_path / "h.parquet", [])


def test_a_history_needs_a_known_ending(tmp_path):
    """Anything but CSV and Parquet is refused by name."""
    with pytest.raises(ValueError, match=r"history\.xlsx"):
        open_history(tmp_path / "history.xlsx", [])
