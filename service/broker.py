"""The embedded broker: mosquitto where it is installed, else nats-server from its wheel, as a child process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from service.errors import BrokerUnavailable

log = structlog.get_logger()

_READY_S = 10.0
_STOP_S = 3.0
_PR_SET_PDEATHSIG = 1
_MOST_QUEUED = 2_000_000
#: nats-server allows 65,535 in flight a session over all its subscriptions, and a filter ending in ``#`` counts twice
_NATS_IN_FLIGHT = 60_000
_NATS_MOST_PENDING = 8_000

_MOSQUITTO = """\
listener {port} {host}
{tls}
allow_anonymous {anonymous}
{accounts}
persistence true
persistence_location {folder}/
autosave_interval 5
# the defaults drop messages beyond 1,000 queued and send 20 at a time; two million take about 1 GB
max_queued_messages {queued}
max_inflight_messages 10000
persistent_client_expiration 30d
log_dest file {folder}/mosquitto.log
log_type error
log_type warning
"""
_NATS = """\
server_name: shouyuan
host: 127.0.0.1
port: -1
jetstream {{ store_dir: "{folder}", max_file_store: 8GB, sync_interval: always }}
mqtt {{ host: "{host}", port: {port}, max_ack_pending: {pending}, ack_wait: "10s" }}
{accounts}
log_file: "{folder}/nats.log"
"""


class EmbeddedBroker:
    """A broker with durable sessions under *folder*. *port* 0 takes a free one; see :attr:`port` after ``start``.

    Without *credentials* it listens on loopback only. With a *certificate* (its file and its key's) devices connect with
    TLS, and we ourselves on :attr:`own_port` of loopback. *topics* are what we will subscribe to.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        credentials: tuple[str, str] | None = None,
        certificate: tuple[str, str] | None = None,
        program: str = "",
        topics: Sequence[str] = ("#",),
    ) -> None:
        if credentials is None and host not in {"127.0.0.1", "::1", "localhost"}:
            raise BrokerUnavailable(
                "embedded", f"listening on {host} needs broker.username and broker.password"
            )
        self._folder = folder
        self._host = host
        self._credentials = credentials
        self._program = program or find_broker()
        self._process: subprocess.Popen[bytes] | None = None
        self._certificate = certificate
        self._topics = topics
        if certificate is not None and self.protocol != 5:
            raise BrokerUnavailable(self._program, "TLS for devices needs mosquitto, which is not installed")
        self.port = port or _free_port(host)
        self.own_port = self.port if certificate is None else _free_port("127.0.0.1")

    @property
    def own_host(self) -> str:
        """Where we ourselves connect to it."""
        on_loopback = self._certificate is not None or self._host == "localhost"
        return "127.0.0.1" if on_loopback else reached_at(self._host)

    @property
    def name(self) -> str:
        """``mosquitto`` or ``nats-server``."""
        return Path(self._program).name

    @property
    def protocol(self) -> int:
        """The newest MQTT version it speaks: 5, or 4 for 3.1.1."""
        return 5 if self.name == "mosquitto" else 4

    def start(self) -> None:
        """Starts the child and waits until it accepts connections; raises :class:`BrokerUnavailable`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        _check_free(self._host, self.port)
        config = self._folder / f"{self.name}.conf"
        config.write_text(self._mosquitto() if self.protocol == 5 else self._nats(), encoding="utf-8")
        config.chmod(0o600)
        self._process = subprocess.Popen(
            [self._program, "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is ours to handle; the broker goes last
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - one libc call, made before any thread of the child
        )
        self._wait_ready()
        log.info("broker.started", program=self.name, host=self._host, port=self.port)

    def stop(self) -> None:
        """Ends the child; what it holds is on disk."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_S)

    @property
    def running(self) -> bool:
        """Whether the child lives."""
        return self._process is not None and self._process.poll() is None

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            if not self.running:
                raise BrokerUnavailable(self._program, f"it ended at once; see {self._folder}")
            with (
                contextlib.suppress(OSError),
                socket.create_connection((self.own_host, self.own_port), timeout=0.5),
            ):
                return
            time.sleep(0.02)
        self.stop()
        raise BrokerUnavailable(
            self._program, f"no answer on {self._host}:{self.port} within {_READY_S:.0f} s"
        )

    def _mosquitto(self) -> str:
        accounts = ""
        if self._credentials is not None:
            file = self._folder / "mosquitto.accounts"
            file.write_text("{}:{}\n".format(*self._credentials), encoding="utf-8")
            file.chmod(0o600)
            tool = shutil.which("mosquitto_passwd") or "mosquitto_passwd"
            subprocess.run([tool, "-U", str(file)], check=True, capture_output=True)
            accounts = f"password_file {file}"
        user = "user root" if os.geteuid() == 0 else ""
        tls = ""
        if self._certificate is not None:
            tls = "certfile {}\nkeyfile {}\nlistener {} 127.0.0.1".format(*self._certificate, self.own_port)
        return _MOSQUITTO.format(
            port=self.port,
            tls=tls,
            queued=_MOST_QUEUED,
            host=self._host,
            folder=self._folder,
            anonymous="false" if self._credentials else "true",
            accounts="\n".join(filter(None, (accounts, user))),
        )

    def _nats(self) -> str:
        accounts = ""
        if self._credentials is not None:
            user, password = (part.replace('"', '\\"') for part in self._credentials)
            accounts = f'authorization {{ users: [ {{ user: "{user}", password: "{password}" }} ] }}'
        slots = sum(2 if topic.endswith("#") else 1 for topic in self._topics) or 1
        pending = max(10, min(_NATS_MOST_PENDING, _NATS_IN_FLIGHT // slots))
        return _NATS.format(
            folder=self._folder, host=self._host, port=self.port, pending=pending, accounts=accounts
        )


def find_broker() -> str:
    """Mosquitto on PATH or in the system's own folder, else nats-server beside this Python."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found:
        return found
    beside = Path(sysconfig.get_path("scripts")) / (
        "nats-server.exe" if sys.platform == "win32" else "nats-server"
    )
    if beside.exists():
        return str(beside)
    raise BrokerUnavailable("mosquitto, nats-server", "neither is installed")


def reached_at(host: str) -> str:
    """Where this machine reaches what listens on *host*: on loopback where that is every address."""
    return "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound


def _check_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"{error.strerror or error}; expected a free port under broker.listen"
            raise BrokerUnavailable(f"{host}:{port}", reason) from error


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux, asks the kernel to end the child when we are killed, so that no broker is left behind."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask
