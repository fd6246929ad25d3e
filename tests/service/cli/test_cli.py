"""The command line: each command by its real runner, with exit codes that scripts can use."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from api.accounts import AuditLog
from campus.clock import DAY_MS
from service.cli import simulate as cli_simulate
from service.cli.main_command import app
from store.operations.database import open_database

EXAMPLE = Path(__file__).parents[3] / "examples" / "school"
RUNNER = CliRunner()


def run(*words, code=0, **more):
    result = RUNNER.invoke(app, [str(word) for word in words], **more)
    assert result.exit_code == code, result.output
    return result.output


def commands(group=None, path=()):
    group = group or get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.mark.parametrize(
    ("path", "command"), list(commands()), ids=lambda one: " ".join(one) if isinstance(one, tuple) else ""
)
def test_every_command_has_help(path, command):
    """Each command says what it does."""
    assert command.help
    assert command.help.split()[0][0].isupper()
    assert "--help" in run(*path, "--help")


@pytest.mark.parametrize("words", ["link", "user list", "token list", "drill list", "drill report 1"])
def test_a_damaged_database_is_said_in_a_sentence(tmp_path, words):
    """No command that reads the operations database ends with a traceback: it says what is wrong and who knows more."""
    (tmp_path / "operations.db").write_bytes(bytes(range(256)) * 64)
    output = run(*words.split(), "--data", tmp_path, code=2)
    assert "file is not a database" in output
    assert "shouyuan doctor" in output


def test_check_on_the_example():
    """What is right says so with 0; what is wrong is named with 1."""
    assert "no mistakes" in run("check", "--campus", EXAMPLE)


def test_check_names_mistakes(tmp_path):
    """A mistake stands with its file and key, what was found and what was expected."""
    (tmp_path / "site.yaml").write_text("id: s\nname: S\nstoer: embedded\n", encoding="utf-8")
    output = run("check", "--campus", tmp_path, code=1)
    assert "site.yaml:stoer" in output
    assert "store" in output


def test_decode(tmp_path):
    """A message is shown as it would be read; one that is rejected gives a reason and 1."""
    file = tmp_path / "message.json"
    file.write_text('{"temperature": -18.25, "voltage": 2985}', encoding="utf-8")
    shown = json.loads(run("decode", "--topic", "zigbee2mqtt/冷冻柜1", file))
    assert {
        "device": "冷冻柜1",
        "quantity": "temperature",
        "channel": "",
        "value": -18.25,
        "unit": "°C",
        "time": None,
        "quality": "good",
    } in shown
    file.write_bytes(b"\xff")
    assert "not_utf8" in json.loads(run("decode", "--topic", "zigbee2mqtt/x", file, code=1))["rejected"]
    run("decode", "--topic", "x", "--decoder", "nothing", file, code=2)


@pytest.fixture(params=["csv", "parquet"])
def history(request, tmp_path):
    """A freezer of the example school that warms up at ten o'clock, in either kind of file."""
    start = dt.datetime(2026, 11, 20, 8, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    rows = [
        {
            "time": (start + dt.timedelta(minutes=n)).isoformat(),
            "device": "freezer-1",
            "quantity": "temperature",
            "value": -20.0 if n < 120 else -5.0,
        }
        for n in range(240)
    ]
    file = tmp_path / f"history.{request.param}"
    table = pl.DataFrame(rows)
    table.write_csv(file) if request.param == "csv" else table.write_parquet(file)
    return file


def test_replay(history):
    """The alerts a history would have raised, one object a transition, from CSV and from Parquet."""
    lines = [
        json.loads(line)
        for line in run("replay", "--readings", history, "--campus", EXAMPLE, "--json").splitlines()
    ]
    found = [
        (one["time"], one["rule"], one["subject"], one["state"], one["severity"])
        for one in lines
        if one["subject"] == "freezer-1"
    ]
    assert found == [("2026-11-20T02:45:00Z", "cold.above_limit", "freezer-1", "firing", "critical")]
    assert (
        next(one for one in lines if one["subject"] == "freezer-1")["evidence"]["facts"]["temperature_c"]
        == -5.0
    )


def test_replay_goes_on_past_bad_rows(tmp_path):
    """Rows that cannot be read are named with their number, the others are judged, and the exit code says so."""
    file = tmp_path / "h.csv"
    file.write_text(
        "time,device,quantity,value,unit\n"
        "2026-11-20T08:00:00+08:00,m,water_flow,100,l/min\n"
        "yesterday,m,water_flow,1,\n"
        "2026-11-20T08:03:00+08:00,m,warmth,1,\n"
        "2026-11-20T08:04:00+08:00,m,water_flow,much,\n"
        "2026-11-20T08:06:00+08:00,m,water_flow,200,l/min\n"
        "2026-11-20T08:12:00+08:00,m,water_flow,200,l/min\n",
        encoding="utf-8",
    )
    output = run("replay", "--readings", file, code=1)
    for row in ("h.csv:3", "h.csv:4", "h.csv:5"):
        assert row in output
    assert "爆管" in output
    run("replay", "--readings", tmp_path / "none.csv", code=2)


def test_users_tokens_and_links(tmp_path):
    """Users, tokens and one-time links are made, listed, changed and taken away in the data folder, each act in the audit."""
    data, words = tmp_path / "data", "a-good-password\na-good-password\n"
    run("user", "add", "sun", "--role", "duty", "--data", data, input=words)
    assert "short" not in run("user", "add", "short", "--data", data, input="short\nshort\n", code=2)
    assert "nobody has" in run("user", "add", "sun", "--data", data, input=words, code=1)
    run("user", "add", "boss", "--role", "admin", "--data", data, input=words)
    run("user", "password", "sun", "--data", data, input=words)
    run("user", "disable", "sun", "--data", data)
    assert "停用" in run("user", "list", "--data", data).splitlines()[1]
    assert "does not exist" in run("link", "sun", "--data", data, code=1)
    run("user", "enable", "sun", "--data", data)
    assert run("link", "sun", "--data", data).startswith("/sign-in/link?token=")
    assert run("link", "--data", data).startswith(
        "/sign-in/link?token="
    )  # the administrator, whatever the name
    assert "0 处" in run("user", "sign-out", "sun", "--data", data)
    run("user", "delete", "sun", "--data", data)
    assert "does not exist" in run("user", "delete", "sun", "--data", data, code=1)
    assert "last administrator" in run("user", "delete", "boss", "--data", data, code=1)
    assert len(run("token", "add", "grafana", "--days", "30", "--data", data).strip()) > 30
    assert "grafana\tread\t有效" in run("token", "list", "--data", data)
    run("token", "revoke", "grafana", "--data", data)
    assert run("token", "list", "--data", data) == ""
    found = AuditLog(open_database(f"sqlite:///{data / 'operations.db'}")).find()
    assert all(one.who.startswith("command line (") for one in found)
    assert [(one.act, one.subject) for one in reversed(found)] == [
        ("user_added", "sun"), ("user_added", "boss"), ("password_changed", "sun"), ("user_disabled", "sun"),
        ("user_enabled", "sun"), ("link_made", "sun"), ("link_made", "boss"), ("signed_out_everywhere", "sun"),
        ("user_deleted", "sun"), ("token_added", "grafana"), ("token_deleted", "grafana"),
    ]  # fmt: skip


def test_notify_test(tmp_path):
    """A test message goes to a channel of site.yaml; an unknown channel is refused with those there are."""
    output = run("notify", "test", "console", "--campus", EXAMPLE, "--data", tmp_path)
    assert "【测试】" in output
    assert json.loads(output.splitlines()[-1])["outcome"] == "sent"
    assert "console, phone" in run(
        "notify", "test", "pigeon", "--campus", EXAMPLE, "--data", tmp_path, code=2
    )


def test_grafana_build_needs_a_store_grafana_can_read(tmp_path):
    """With the embedded store there is nothing for Grafana to read, and it says what to set."""
    assert "influxdb2://" in run("grafana", "build", "--campus", EXAMPLE, "--out", tmp_path, code=2)


def test_up_wants_one_of_two():
    """Neither or both of --campus and --demo is a question, not a start."""
    run("up", code=2)
    run("up", "--demo", "--campus", EXAMPLE, code=2)


def test_rules_says_who_set_each_number():
    """The rules of a device, what they read, their numbers and the layer of each; a stranger is refused."""
    lines = run("rules", "sample-1", "--campus", EXAMPLE, "--json").splitlines()
    listed = {one["rule"]: one for one in map(json.loads, lines)}
    numbers = {one["name"]: one for one in listed["cold.above_limit"]["numbers"]}
    assert numbers["for_s"] == {"name": "for_s", "value": 1200, "origin": "profiles.sample_cabinet"}
    assert numbers["critical_above_c"]["origin"] == "rule"
    assert "cold.above_limit" in run("rules", "sample-1", "--campus", EXAMPLE)
    run("rules", "nobody", "--campus", EXAMPLE, code=2)
    run("rules", "--campus", EXAMPLE / "none", code=2)


@pytest.mark.parametrize(
    ("said", "words"), [("zh_CN.UTF-8", ("读取", "设定")), ("en_GB.UTF-8", ("reads", "set by"))]
)
def test_rules_fit_a_narrow_terminal(monkeypatch, said, words):
    """On 80 columns every rule's name and number stands whole on its line, in the terminal's language."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LC_ALL", said)
    shown = run("rules", "sample-1", "--campus", EXAMPLE)
    for one in map(json.loads, run("rules", "sample-1", "--campus", EXAMPLE, "--json").splitlines()):
        assert any(line.startswith(one["rule"]) for line in shown.splitlines())
        for number in one["numbers"]:
            assert number["name"] == "enabled" or f"{number['name']}: {number['value']}" in shown
    assert all(one in shown for one in words)
    assert "…" not in shown


@pytest.mark.parametrize(
    ("options", "began_before_ms", "lasts_ms"),
    [
        (("--speed", "1500", "--for", "2d"), 2 * DAY_MS, 2 * DAY_MS),
        (("--for", "2d"), 0, 2 * DAY_MS),
        (("--speed", "60"), DAY_MS, DAY_MS),
    ],
)
def test_what_is_published_fast_ends_now(monkeypatch, options, began_before_ms, lasts_ms):
    """A campus that runs faster than time began so long ago that it ends now; one at time's own pace begins now."""
    now_ms, published = 1_795_233_600_000, []
    monkeypatch.setattr(cli_simulate, "wall_ms", lambda: now_ms)
    monkeypatch.setattr(cli_simulate, "_publish", lambda *told: published.append(told))
    run("simulate", "--campus", EXAMPLE, "--broker", "mqtt://127.0.0.1:1", *options)
    ((_world, _url, start_ms, length_ms, _speed),) = published
    assert (now_ms - start_ms, length_ms) == (began_before_ms, lasts_ms)
