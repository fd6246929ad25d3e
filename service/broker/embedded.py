"""The embedded broker: mosquitto where it is installed, else nats-server from its wheel, as a child process."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from service.broker.access import Account, mosquitto_passwords, mosquitto_rights
from service.broker.config import PASSWORDS, RIGHTS, mosquitto_config, nats_config
from service.broker.folder import end_orphan, put_back, set_aside, unprivileged_user, write_private
from service.broker.listening import check_free, free_port, is_free, is_loopback, reached_at
from service.broker.probe import answers
from service.broker.program import find_broker, spawn
from service.errors import BrokerUnavailable

log = structlog.get_logger()

_READY_S = 15.0
#: saving what waits may take a while; a broker that is killed before loses its last seconds
_STOP_S = 10.0


class EmbeddedBroker:
    """A broker with durable sessions under *folder*. *port* 0 takes a free one; see :attr:`port` after ``start``.

    *accounts* are asked at the start and at each :meth:`reload`; without them everybody may do everything, or whoever has
    *credentials*. Where nobody needs a password it listens on loopback only. With accounts or a *certificate* (its file and
    its key's: devices connect with TLS) we ourselves connect on :attr:`own_port` of loopback, where mosquitto is the
    program. *topics* are what we will subscribe to.
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
        accounts: Callable[[], Sequence[Account]] | None = None,
    ) -> None:
        everyone = Account(*credentials, trusted=True) if credentials else Account(trusted=True)
        self._accounts = accounts or (lambda: (everyone,))
        if self._open and not is_loopback(host):
            raise BrokerUnavailable(
                "embedded", f"listening on {host} needs broker.username and broker.password"
            )
        self._folder = folder
        self._host = host
        self._program = program or find_broker()
        self._process: subprocess.Popen[bytes] | None = None
        self._certificate = certificate
        self._topics = topics
        if certificate is not None and self.protocol != 5:
            raise BrokerUnavailable(self._program, "TLS for devices needs mosquitto, which is not installed")
        self.port = port or free_port(host)
        self._apart = certificate is not None or (accounts is not None and self.protocol == 5)
        self.own_port = free_port("127.0.0.1") if self._apart else self.port
        #: what it had kept and could not read any more at the last start, under its new name
        self.damaged: Path | None = None

    @property
    def own_host(self) -> str:
        """Where we ourselves connect to it."""
        return "127.0.0.1" if self._apart or self._host == "localhost" else reached_at(self._host)

    @property
    def host(self) -> str:
        """Where programs on this machine reach the devices' listener."""
        return reached_at(self._host)

    @property
    def name(self) -> str:
        """``mosquitto`` or ``nats-server``."""
        return Path(self._program).name

    @property
    def protocol(self) -> int:
        """The newest MQTT version it speaks: 5, or 4 for 3.1.1."""
        return 5 if self.name == "mosquitto" else 4

    @property
    def pid(self) -> int:
        """The child's process id, 0 where there is none."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Starts the child and waits until it answers; raises :class:`BrokerUnavailable`.

        Where it cannot start on what it had kept, that is set aside (:attr:`damaged`), and it starts empty.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.chmod(0o700)
        end_orphan(self._folder, self.name)
        check_free(self._host, self.port)
        if self._apart and not is_free("127.0.0.1", self.own_port):
            self.own_port = free_port("127.0.0.1")
        self.damaged = None
        try:
            self._launch()
        except BrokerUnavailable as error:
            self.damaged = set_aside(self._folder, self.name)
            if self.damaged is None:
                raise
            try:
                self._launch()
            except BrokerUnavailable:
                put_back(self.damaged)
                self.damaged = None
                raise error from None
            log.error("broker.store_damaged", program=self.name, set_aside=str(self.damaged))  # noqa: TRY400
        log.info("broker.started", program=self.name, host=self._host, port=self.port)

    def stop(self, timeout_s: float = _STOP_S) -> None:
        """Ends the child, also one that is frozen; what it holds is on disk unless it takes longer than *timeout_s*."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        with contextlib.suppress(
            OSError, AttributeError
        ):  # a stopped process hears the request only when it goes on
            process.send_signal(signal.SIGCONT)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout_s)

    def save(self) -> None:
        """Has mosquitto write its sessions to disk now, which it does every few seconds else; nats-server always has."""
        if self.protocol == 5 and self.running and self._process is not None:
            self._process.send_signal(signal.SIGUSR1)

    def reload(self) -> None:
        """Applies changed accounts, while everybody stays connected.

        mosquitto forgets the rights of sessions that are away at this moment, so our own must be there.
        """
        if self.running and self._process is not None:
            self._configure()
            self._process.send_signal(signal.SIGHUP)
            log.info("broker.accounts_applied", accounts=len(self._accounts()))

    @property
    def running(self) -> bool:
        """Whether the child lives."""
        return self._process is not None and self._process.poll() is None

    def answers(self, timeout_s: float = 5.0) -> bool:
        """Whether it answers a client; a process that lives may yet be frozen."""
        own = next((account for account in self._accounts() if account.trusted), Account())
        return answers(
            self.own_host, self.own_port, user=own.user, password=own.password, timeout_s=timeout_s
        )

    @property
    def _open(self) -> bool:
        """Whether anybody may come without a password."""
        return any(not account.user for account in self._accounts())

    def _launch(self) -> None:
        user = unprivileged_user((self.port, self.own_port))
        config = self._configure()
        try:
            self._process = spawn(self._program, config, user)
        except PermissionError:  # the program lies where that user may not look
            log.warning("broker.runs_as_root", program=self._program)
            self._process = spawn(self._program, self._configure(as_root=True), "")
        write_private(self._folder / "broker.pid", str(self._process.pid))
        self._wait_ready()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            if not self.running:
                self._process = None
                raise BrokerUnavailable(self._program, f"it ended at once; see {self._folder}")
            if self.answers(timeout_s=1.0):
                return
            time.sleep(0.02)
        self.stop()
        raise BrokerUnavailable(
            self._program, f"no answer on {self._host}:{self.port} within {_READY_S:.0f} s"
        )

    def _configure(self, *, as_root: bool = False) -> Path:
        """Writes what the program reads; its main file."""
        accounts = self._accounts()
        config = self._folder / f"{self.name}.conf"
        if self.protocol != 5:
            text = nats_config(host=self._host, port=self.port, topics=self._topics, accounts=accounts)
        else:
            passwords = mosquitto_passwords(accounts)
            limited = not all(account.trusted for account in accounts)
            if passwords:
                self._write(PASSWORDS, passwords)
            if limited:
                dollar = [topic for topic in self._topics if topic.startswith("$")]
                self._write(RIGHTS, mosquitto_rights(accounts, dollar))
            text = mosquitto_config(
                host=self._host,
                port=self.port,
                own_port=self.own_port,
                anonymous=self._open,
                passwords=bool(passwords),
                rights=limited,
                certificate=self._certificate_here(),
                user="root" if as_root else "",
            )
        self._write(config.name, text)
        return config

    def _certificate_here(self) -> tuple[str, str] | None:
        """Copies of both files in our folder, as the user it runs as may not read the key where it lies."""
        if self._certificate is None:
            return None
        names = ("device.crt", "device.key")
        for name, source in zip(names, self._certificate, strict=True):
            self._write(name, Path(source).read_text(encoding="utf-8"))
        return names

    def _write(self, name: str, text: str) -> None:
        """Whole or not at all, and for the program's user, as it may read it at any moment."""
        write_private(self._folder / name, text)
