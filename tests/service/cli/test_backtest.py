"""``shouyuan replay``: the same as live, with several rule files, over files and over what is stored."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from rich.console import Console
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from alerts.backtest import backtest
from alerts.book import AlertBook
from alerts.routing import Recipient
from campus.clock import HOUR_MS, MINUTE_MS, iso, parse_iso
from campus.folder import load_campus
from campus.quantity import Quantity
from campus.reading import Reading, Series
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from service.cli.main_command import app
from service.cli.progress_bar import LateBar
from service.lock import DataLock
from service.runtime.rule_consumer import RuleConsumer
from store.operations.tables import AlertRow, OutboxRow
from store.timeseries.opening import open_store

EXAMPLE = Path(__file__).parents[3] / "examples" / "school"
RUNNER = CliRunner()
START = "2026-11-20T08:00:00+08:00"
START_MS = parse_iso(START)
FREEZER = Series("freezer-1", Quantity.TEMPERATURE)


def run(*words, code=0):
    result = RUNNER.invoke(app, ["replay", *map(str, words)])
    assert result.exit_code == code, result.output
    return result.output


def warming():
    """A freezer that is at -12 °C after two hours and at -5 °C after four, and cold again after six."""
    values = [-20.0] * 120 + [-12.0] * 120 + [-5.0] * 120 + [-20.0] * 120
    times = (START_MS + n * MINUTE_MS for n in range(len(values)))
    return [Reading(FREEZER, value, time_ms, time_ms) for time_ms, value in zip(times, values, strict=True)]


def days():
    """Some days of a meter, a freezer and a circuit, by chance: short steps with gaps, faults and recoveries."""
    chance, found = random.Random(11), []
    level, volume, time_ms = -20.0, 100.0, START_MS
    while time_ms < START_MS + 72 * HOUR_MS:
        if chance.random() < 0.01:
            level = chance.choice([-20.0, -20.0, -13.0, -4.0])
        volume += chance.choice([0.0, 0.01, 0.01, 0.9])
        for series, value in (
            (FREEZER, level + chance.random()),
            (Series("water-main", Quantity.WATER_VOLUME), volume),
            (Series("elec-boiler", Quantity.ACTIVE_POWER, "total"), chance.choice([0.2, 9.0])),
        ):
            found.append(Reading(series, value, time_ms, time_ms))
        time_ms += chance.choice([MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 90 * MINUTE_MS])
    return found


def test_a_replay_is_what_live_would_have_said(journal, database):
    """Through the journal and the book in batches of any size: the same alerts, and the same messages to the same."""
    campus, readings, chance = load_campus(EXAMPLE), days(), random.Random(5)
    book = AlertBook(database, lambda: campus)
    consumer = RuleConsumer(journal, Engine(campus, RuleSettings(campus.rules)), book)
    consumer.recover()
    rest = list(readings)
    while rest:
        size = chance.choice([1, 2, 3, 10])
        # What happens between two batches is told at the later one's time: within a shift that is the same.
        journal.append(rest[:size], committed_ms=rest[:size][-1].time_ms)
        rest = rest[size:]
        if chance.random() < 0.3:
            consumer.step()
    while consumer.step():
        pass
    with Session(database) as session:
        live = {
            (row.rule, row.subject, row.opened_ms, row.resolved_ms, row.severity)
            for row in session.scalars(sa.select(AlertRow))
        }
        sent = Counter(
            (row.channel, msgspec.json.decode(row.recipient, type=Recipient).id)
            for row in session.scalars(sa.select(OutboxRow))
        )
    outcome = backtest("", campus, campus.rules, readings)
    found = {
        (one.rule, one.subject, one.opened_ms, one.resolved_ms, one.severity.value) for one in outcome.alerts
    }
    assert found == live
    assert {"freezer-1", "water-main"} <= {subject for _, subject, *_ in live}
    assert {(one.channel, one.recipient): one.messages for one in outcome.recipients} == sent
    assert outcome.faults == []


@pytest.fixture
def history(tmp_path):
    file = tmp_path / "h.csv"
    lines = [f"{iso(one.time_ms)},freezer-1,temperature,{one.value}" for one in warming()]
    file.write_text("\n".join(["time,device,quantity,value", *lines]), encoding="utf-8")
    return file


@pytest.fixture
def stricter(tmp_path):
    file = tmp_path / "stricter.yaml"
    file.write_text("devices: {freezer-1: {cold.above_limit: {for_s: 60, critical_above_c: -13}}}\n")
    return file


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    store = open_store("embedded", folder)
    store.write(warming())
    store.close()
    return folder


def test_two_rule_files_side_by_side(history, stricter):
    """What each raises, whom it tells, and what differs: as JSON and as tables."""
    words = ("--readings", history, "--campus", EXAMPLE, "--device", "freezer-1")
    rules = ("--rules", EXAMPLE / "rules.yaml", "--rules", stricter)
    body = json.loads(run(*words, *rules, "--json"))
    first, other = body["outcomes"]
    assert (first["name"], other["name"]) == (str(EXAMPLE / "rules.yaml"), str(stricter))
    assert first["readings"] == other["readings"] == 480
    assert {one["recipient"] for one in other["told"]} >= {"group"}
    change = next(one for one in body["changes"][0]["alerts"] if one["rule"] == "cold.above_limit")
    assert "earlier" in change["kinds"]
    assert change["moved_s"] < 0
    assert change["other"]["severity"] == "critical"
    output = run(*words, *rules)
    assert "温度过高" in output
    assert "earlier by" in output
    assert "messages" in output


def test_one_rule_file_as_json_is_one_object_a_transition(history, stricter):
    """As without --rules: time, rule, subject, state, severity and evidence, a line each."""
    words = ("--readings", history, "--campus", EXAMPLE, "--device", "freezer-1", "--json")
    lines = [json.loads(line) for line in run(*words, "--rules", stricter).splitlines()]
    assert {tuple(one) for one in lines} == {("time", "rule", "subject", "state", "severity", "evidence")}
    assert lines[0]["time"] < json.loads(run(*words).splitlines()[0])["time"]
    assert {one["subject"] for one in lines} == {"freezer-1"}


def test_what_is_stored_is_replayed(data, history):
    """The campus's own store between two times gives what the file gives; times are the site's."""
    words = (
        "--campus",
        EXAMPLE,
        "--device",
        "freezer-1",
        "--json",
        "--from",
        "2026-11-20",
        "--to",
        "2026-11-21",
    )
    stored = run(*words, "--data", data)
    assert "cold.above_limit" in stored
    assert stored == run(*words, "--readings", history)
    later = run(
        "--campus",
        EXAMPLE,
        "--data",
        data,
        "--json",
        "--device",
        "freezer-1",
        "--from",
        "2026-11-20T13:50:00",
    )
    assert later != stored


def test_a_store_in_use_is_asked_through_the_api(data):
    """While the service runs nobody else opens its file; what to do instead is said."""
    lock = DataLock(data)
    lock.acquire()
    try:
        assert "POST /api/replay" in run("--campus", EXAMPLE, "--data", data, "--from", START, code=2)
    finally:
        lock.release()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--readings FILE"),
        (("--campus", EXAMPLE), "--from TIME"),
        (("--readings", "{history}", "--from", "2026-11-20"), "--from is '2026-11-20'"),
        (("--readings", "{history}", "--from", START, "--to", START), "after --from"),
        (("--readings", "{history}", "--from", "2027-01-01T00:00:00Z"), "h.csv: no readings from 2027"),
        (("--readings", "{none}"), "none.csv: no readings"),
        (("--readings", "{history}", "--campus", EXAMPLE, "--device", "nobody"), "'nobody'"),
        (("--readings", "{history}", "--device", "nobody"), "'nobody'"),
        (("--readings", "{history}", "--rules", "{missing}"), "no such file"),
        (("--readings", "{history}", "--rules", "{wrong}"), "wrong.yaml:defaults.cold.above_limit.limit_c"),
        (("--readings", "{history}", "--rules", "{wrong}"), "wrong.yaml:default: 'default': one of defaults"),
        (("--campus", EXAMPLE, "--data", "{history}.d", "--from", START), "no such folder"),
    ],
)
def test_what_cannot_be_replayed_is_said(tmp_path, history, words, said):
    """Exit code 2, and the option, file or key that is wrong."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("default: {}\ndefaults: {cold.above_limit: {limit_c: 1}}\n", encoding="utf-8")
    (tmp_path / "none.csv").write_text("time,device,quantity,value\n", encoding="utf-8")
    names = {
        "history": history,
        "wrong": wrong,
        "none": tmp_path / "none.csv",
        "missing": tmp_path / "m.yaml",
    }
    output = run(*(str(word).format(**names) for word in words), code=2)
    assert said in " ".join(output.replace("│", " ").split())


@pytest.mark.parametrize(("step_s", "shown"), [(0.01, False), (0.6, True)])
def test_the_bar_shows_itself_after_a_second(step_s, shown):
    """What is quick shows nothing; nothing is left out or added on its way through."""
    now_s = 0.0

    def clock():
        nonlocal now_s
        now_s += step_s
        return now_s

    file = io.StringIO()
    with LateBar(Console(file=file, force_terminal=True), clock=clock) as bar:
        bar.begin("replaying", 10_000)
        assert list(bar.over(range(10_000))) == list(range(10_000))
    assert bar.shown is shown
    assert ("replaying" in file.getvalue()) is shown
