"""The broker's program: where it is on this machine, and how it is started as a child that cannot outlive us."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from service.broker.folder import hand_over
from service.errors import BrokerUnavailable

_PR_SET_PDEATHSIG = 1
#: nats-server keeps what it likes of its files in memory; beyond this Go's runtime frees harder
_ENVIRONMENT = {"GOMEMLIMIT": "400MiB"}


def find_broker() -> str:
    """Mosquitto on PATH or in the system's own folder, else nats-server beside this Python."""
    on_path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if on_path:
        return on_path
    beside = Path(sysconfig.get_path("scripts")) / (
        "nats-server.exe" if sys.platform == "win32" else "nats-server"
    )
    if beside.exists():
        return str(beside)
    raise BrokerUnavailable("mosquitto, nats-server", "neither is installed")


def spawn(program: str, config: Path, user: str) -> subprocess.Popen[bytes]:
    """Starts *program* with *config* in the folder of that, as *user* where one is named."""
    folder = config.parent
    as_user = {"user": user, "group": hand_over(folder, user), "extra_groups": []} if user else {}
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]  # the options are three or none
        [program, "-c", config.name],
        cwd=folder,  # as another user it could not find its way through a private data folder
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is ours to handle; the broker goes last
        preexec_fn=_die_with_parent(),  # noqa: PLW1509 - one libc call, made before any thread of the child
        env=os.environ | _ENVIRONMENT,
        **as_user,
    )


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux, asks the kernel to end the child when we are killed, so that no broker is left behind."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask
