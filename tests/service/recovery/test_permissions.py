"""The data folder is its owner's alone; one that was wider is narrowed, and that is told."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from alerts.own import data as own_data
from service.recovery.permissions import make_private, private_umask, wider_than_owner

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permissions are lists there")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_folder_is_private(tmp_path, umask):
    """From the start, and nothing is told of it."""
    assert make_private(tmp_path / "a" / "data", 5) == []
    assert mode(tmp_path / "a" / "data") == 0o700
    private_umask()
    (tmp_path / "a" / "data" / "journal.db").touch()
    assert mode(tmp_path / "a" / "data" / "journal.db") == 0o600
    assert make_private(tmp_path / "a" / "data", 6) == []


def test_a_wider_folder_is_narrowed_and_told(tmp_path, umask):
    """With the logs beside the databases and the copies; once."""
    data = tmp_path / "data"
    (data / "copies").mkdir(parents=True)
    names = ("operations.db", "operations.db-wal", "journal.db", "copies/operations-1.db")
    for name in names:
        (data / name).touch()
    assert len(wider_than_owner(data)) == 5
    (event,) = make_private(data, 5)
    assert (event.rule, event.file) == (own_data.DATA_OPEN, str(data))
    assert {mode(data / name) for name in names} == {0o600}
    assert mode(data) == 0o700
    assert make_private(data, 6) == []


def test_what_cannot_be_narrowed_is_told_each_time(tmp_path, umask, monkeypatch):
    """Somebody else's file stays as it is, and is named."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "operations.db").touch()
    monkeypatch.setattr(Path, "chmod", lambda *_: (_ for _ in ()).throw(PermissionError()))
    for _ in range(2):
        (event,) = make_private(data, 5)
        assert event.facts["reason"] == "chmod: operations.db"
