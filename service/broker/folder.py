"""The embedded broker's folder: private, owned by whom it runs as, and free of what another run has left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import structlog

log = structlog.get_logger()

#: what each program keeps messages and sessions in
_KEPT = {"mosquitto": "mosquitto.db", "nats-server": "jetstream"}
#: ports below need root
_FIRST_FREE_PORT = 1024
_ORPHAN_ENDS_S = 5.0


def write_private(path: Path, text: str) -> None:
    """Writes *text* so that nobody else reads it and nobody sees half of it; its owner is its folder's."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(name, owner.st_uid, owner.st_gid)
    Path(name).replace(path)


def unprivileged_user(ports: Iterable[int]) -> str:
    """As whom the broker runs where we are root; empty where we are not, or a port needs root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return ""
    if any(port < _FIRST_FREE_PORT for port in ports):
        return ""
    return next((name for name in ("mosquitto", "nobody") if _ids(name) is not None), "")


def hand_over(folder: Path, user: str) -> int:
    """Makes *folder* and all in it *user*'s; the user's group."""
    ids = _ids(user)
    if ids is None:
        raise KeyError(user)
    os.chown(folder, *ids)
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            os.chown(path, *ids, follow_symlinks=False)
    return ids[1]


def set_aside(folder: Path, program: str) -> Path | None:
    """Gives what *program* has kept another name; None where it has kept nothing."""
    kept = folder / _KEPT.get(program, "mosquitto.db")
    if not kept.exists():
        return None
    number = 1
    while (aside := kept.with_name(f"{kept.name}.damaged-{number}")).exists():
        number += 1
    return kept.rename(aside)


def put_back(aside: Path) -> None:
    """Undoes :func:`set_aside`."""
    kept = aside.with_name(aside.name.rpartition(".damaged-")[0])
    if kept.is_dir():
        shutil.rmtree(kept)
    aside.replace(kept)


def end_orphan(folder: Path, program: str) -> None:
    """Ends a broker that outlived the service that started it in this very folder, and so holds its port.

    Linux only, where the process can be recognised; elsewhere its port is found taken.
    """
    with contextlib.suppress(OSError, ValueError):
        pid = int((folder / "broker.pid").read_text(encoding="utf-8"))
        process = Path(f"/proc/{pid}")
        command = (process / "cmdline").read_bytes().split(b"\0")
        ours = (process / "cwd").resolve() == folder.resolve()
        if not ours or Path(os.fsdecode(command[0])).name != program:
            return
        log.warning("broker.orphan_ended", program=program, pid=pid)
        for end in (signal.SIGTERM, signal.SIGKILL):
            if not _lives(process):
                return
            os.kill(pid, end)
            os.kill(pid, signal.SIGCONT)
            deadline = time.monotonic() + _ORPHAN_ENDS_S
            while _lives(process) and time.monotonic() < deadline:
                time.sleep(0.02)


def _lives(process: Path) -> bool:
    """Whether it is more than a process that nobody has buried yet."""
    try:
        state = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in {"Z", "X"}


def _ids(user: str) -> tuple[int, int] | None:
    """User and group id of *user*; None where there is no such user, or no such thing as users."""
    try:
        import pwd
    except ImportError:
        return None
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid
