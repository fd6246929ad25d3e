"""Settings of the process from the environment."""

from __future__ import annotations

from pathlib import Path

from service.settings import ServiceSettings


def test_a_variable_set_to_nothing_is_not_set(monkeypatch):
    """An empty SHOUYUAN_DATA must not make the current folder the data folder, whose rights would be tightened."""
    monkeypatch.setenv("SHOUYUAN_DATA", "")
    monkeypatch.setenv("SHOUYUAN_PORT", "")
    settings = ServiceSettings()
    assert (settings.data, settings.port) == (Path("data"), 8000)
