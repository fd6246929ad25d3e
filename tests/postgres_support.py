"""A PostgreSQL of the tests' own: on a free port, in a folder of its own, stopped and started at will."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest


def _programs():
    """The folder of initdb and pg_ctl; None where PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(on_path).resolve().parent if on_path else installed[-1].parent if installed else None


needs_postgres = pytest.mark.skipif(
    _programs() is None or importlib.util.find_spec("psycopg") is None,
    reason="PostgreSQL is not installed (Debian package postgresql, Python package psycopg)",
)


class Cluster:
    """A server of its own; as root it runs as the user postgres, as it refuses to run as root."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="shouyuan-pg-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "-D", self._data, "-U", "shouyuan", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    @property
    def url(self):
        return f"postgresql+psycopg://shouyuan@127.0.0.1:{self.port}/postgres"

    @property
    def _data(self):
        return str(self.folder / "data")

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -F"
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-t", "60", "-D", self._data, "-l", log, "-o", options)

    def stop(self):
        self._run("pg_ctl", "stop", "-w", "-t", "60", "-m", "immediate", "-D", self._data)

    def remove(self):
        with contextlib.suppress(subprocess.CalledProcessError):  # it may be stopped already
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program, *arguments):
        become = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*become, str(_programs() / program), *arguments]
        subprocess.run(command, check=True, cwd=self.folder, capture_output=True, timeout=120)


@pytest.fixture
def postgres():
    cluster = Cluster()
    yield cluster
    cluster.remove()
