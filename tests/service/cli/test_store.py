"""The commands of the stores: info, copy, and what cannot be used said with exit code 2."""

import pytest
from typer.testing import CliRunner

from campus.clock import HOUR_MS, parse_iso
from campus.quantity import Quantity
from campus.reading import Reading, Series
from service.cli.main_command import app
from service.lock import DataLock
from store.timeseries.opening import open_store

RUNNER = CliRunner()
START_MS = parse_iso("2026-01-01T00:00:00+08:00")
METER = Series("m", Quantity.ENERGY)


def run(*words, code=0):
    result = RUNNER.invoke(app, ["store", *map(str, words)])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def old(tmp_path):
    folder = tmp_path / "old"
    store = open_store("embedded", folder)
    store.write([Reading(METER, n / 10, START_MS + n * HOUR_MS, START_MS) for n in range(2000)])
    store.close()
    return folder


def test_info(old):
    """Series, readings, span and bytes are told."""
    words = dict(line.split(maxsplit=1) for line in run("info", "embedded", "--data", old).splitlines())
    assert words["series"] == "1"
    assert words["readings"] == "2,000"
    assert parse_iso(words["from"]) == START_MS
    assert parse_iso(words["to"]) == START_MS + 1999 * HOUR_MS
    assert "a reading" in words["bytes"]


def test_copy(old, tmp_path):
    """History moves and is counted; again nothing is written; a span can be named."""
    new = tmp_path / "new"
    new.mkdir()
    span = ("--since", "2026-01-02T00:00:00+08:00", "--until", "2026-01-03T00:00:00+08:00")
    assert "24 readings, 24 written" in run("copy", f"embedded:{old}", f"embedded:{new}", *span)
    assert "2,000 readings, 2,000 written, 0 refused" in run("copy", f"embedded:{old}", f"embedded:{new}")
    assert "2,000 readings, 0 written" in run("copy", f"embedded:{old}", f"embedded:{new}")
    store = open_store("embedded", new)
    assert len(store.query(METER, 0, 2**43)) == 2000
    store.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("info", "mysql://x"), "is not known"),
        (("info", "embedded:/no/such/folder"), "no such folder"),
        (("info", "victoriametrics://127.0.0.1:9"), "not available"),
        (("copy", "embedded:{old}", "victoriametrics://127.0.0.1:9"), "not available"),
        (("copy", "embedded:{old}", "embedded:{old}", "--since", "yesterday"), ""),
        (("setup", "embedded"), "is not known"),
        (("setup", "influxdb2://topsecret@127.0.0.1:9/o/b"), "not available"),
    ],
)
def test_what_cannot_be_used_is_said(old, words, said):
    """Exit code 2 and a reason, without a secret."""
    output = run(*(word.format(old=old) for word in words), code=2)
    assert said in output
    assert "topsecret" not in output


def test_a_running_service_keeps_its_store(old):
    """While a service uses the folder no command opens its file."""
    lock = DataLock(old)
    lock.acquire()
    try:
        assert str(old) in run("info", f"embedded:{old}", code=2).replace("\n", "")
    finally:
        lock.release()
