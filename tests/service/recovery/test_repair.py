"""``doctor --data`` says what each file's state means; ``repair`` deals with it, and only with the service stopped."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3

import pytest
from typer.testing import CliRunner

from campus.campus import Campus
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from campus.text import translator
from service.cli.main_command import app
from service.lock import DataLock
from service.recovery import inspection
from service.recovery.inspection import State, inspect
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings
from store.sqlite.aside import all_set_aside
from store.timeseries.embedded import EmbeddedStore

SERIES = Series("freezer", Quantity.TEMPERATURE)


def run(*words, code=0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder in which a service has run."""
    data = tmp_path_factory.mktemp("whole") / "data"
    site = Site.model_validate({"id": "s", "name": "s", "broker": {"url": "mqtt://127.0.0.1:9"}})
    runtime = Runtime(Campus(site=site, devices=[]), ServiceSettings(data=data), write=lambda _: None)
    many = [Reading(SERIES, n / 7, 10**12 + n * 1_000, 10**12) for n in range(30_000)]
    runtime.store.write(many)
    runtime.store.pack()
    runtime.stop()
    with contextlib.closing(sqlite3.connect(data / "timeseries.db")) as history:
        history.execute("VACUUM")  # no free page in the middle, which nobody would miss
    return data


@pytest.fixture
def data(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "data")


def states(data):
    return {one.file: one.state for one in inspect(data)}


def spoil(path):
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 8192 * 8192)
        file.write(b"\xa5" * 8192)


def test_a_good_folder_is_good(data):
    """Each file is named with its size, and the copies with their moment; nothing is to be done."""
    found = states(data)
    assert {found[name] for name in ("journal.db", "operations.db", "timeseries.db", "quarantine.db")} == {
        State.GOOD
    }
    assert found["births.msgpack"] is State.MISSING
    output = run("doctor", "--data", data)
    assert "✓ operations.db: 完好" in output
    assert "1 份告警库备份" in output
    assert "nothing to repair" in run("repair", "--data", data)


def test_a_damaged_folder_is_explained_and_repaired(data):
    """First only said; then renamed, restored, salvaged; in the end good, and history is back as far as it can be read."""
    for name in ("journal.db", "operations.db"):
        (data / name).write_bytes(b"no database" * 1_000)
    spoil(data / "timeseries.db")
    explained = run("doctor", "--data", data, code=1)
    for words in ("✗ journal.db: 损坏", "✗ operations.db: 损坏", "✗ timeseries.db: 损坏", "告警不靠它"):
        assert words in explained
    assert "--yes" in run("repair", "--data", data, code=1)
    assert all_set_aside(data) == []
    done = run("repair", "--data", data, "--yes")
    assert "条历史读数" in done
    assert {one.name.partition(".damaged")[0] for one in all_set_aside(data)} == {
        "journal.db", "operations.db", "timeseries.db",
    }  # fmt: skip
    assert set(states(data).values()) <= {State.GOOD, State.MISSING, State.NOTE}
    with contextlib.closing(EmbeddedStore(data / "timeseries.db")) as store:
        assert 20_000 < len(store.query(SERIES, 0, 2**50)) <= 30_000


def test_history_set_aside_at_a_start_is_salvaged_later(data):
    """What a start has put away is looked through by repair, beside what was stored since."""
    spoil(data / "timeseries.db")
    (data / "timeseries.db").rename(data / "timeseries.db.damaged-20261121T040000")
    with contextlib.closing(EmbeddedStore(data / "timeseries.db")) as store:
        store.write([Reading(SERIES, 1.0, 2 * 10**12, 0)])
    assert "timeseries.db.damaged-20261121T040000" in run("repair", "--data", data, code=1)
    run("repair", "--data", data, "--yes")
    with contextlib.closing(EmbeddedStore(data / "timeseries.db")) as store:
        assert len(store.query(SERIES, 0, 2**50)) > 20_000


def test_what_repair_must_not_touch(data, tmp_path):
    """A later version's files are left alone, a running service's folder is only looked at, a missing one is named."""
    with contextlib.closing(sqlite3.connect(data / "journal.db")) as later:
        later.execute("PRAGMA user_version = 99")
    with contextlib.closing(sqlite3.connect(data / "operations.db")) as later, later:
        later.execute("UPDATE alembic_version SET version_num = '9999'")
    found = states(data)
    assert found["journal.db"] is found["operations.db"] is State.TOO_NEW
    assert "请升级守园" in run("doctor", "--data", data, code=1)
    run("repair", "--data", data, "--yes", code=1)
    assert all_set_aside(data) == []
    assert "守园正在用这个文件夹" not in run("doctor", "--data", data, code=1)
    lock = DataLock(data)
    lock.acquire()
    run("repair", "--data", data, "--yes", code=2)
    assert "守园正在用这个文件夹" in run("doctor", "--data", data, code=1)
    lock.release()
    run("repair", "--data", tmp_path / "none", code=2)


def test_missing_and_unusable_files_are_explained(data):
    """Each with what it held and what happens next."""
    for name in ("journal.db", "operations.db", "timeseries.db"):
        (data / name).unlink()
    (data / "timeseries.db").mkdir()
    data.chmod(0o755)
    output = run("doctor", "--data", data, code=1)
    assert "journal.db: 没有。启动守园会新建" in output
    assert "有备份时启动守园会自动恢复最近的一份(1 份备份)" in output
    assert "timeseries.db: 打不开" in output
    assert "别的用户也能看" in output


def test_every_text_is_translated():
    """Each sentence of the inspection has its English."""
    texts = [
        text
        for name, value in vars(inspection).items()
        if name.startswith("_") and name.isupper()
        for text in (value.values() if isinstance(value, dict) else [value])
        if isinstance(text, str)
    ]
    assert len(texts) > 15
    for text in texts:
        assert translator("en")(text) != text
