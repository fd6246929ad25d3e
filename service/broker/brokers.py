"""The site's brokers: the one we run ourselves where there is one, and a connection to each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from campus.broker import Broker
from campus.site import Site
from campus.worker import Worker
from ingest.mqtt.burst import Burst
from ingest.mqtt.connection import BrokerAddress, Connection
from ingest.mqtt.session import SessionWatch
from service.broker.access import Account
from service.broker.embedded import EmbeddedBroker
from service.broker.identity import SERVICE, SIMULATOR, Identity, identity, keep
from service.broker.keeper import BrokerKeeper
from service.broker.listening import is_loopback
from service.broker.migration import move_session
from service.broker.outside import outside_address
from service.broker.sessions import KnownSessions


class Brokers:
    """Starts what we run, connects to all. *topics* gives what to subscribe to at the broker of a name, *devices* the
    accounts of devices at our own.
    """

    def __init__(
        self,
        site: Site,
        data: Path,
        topics: Callable[[str], Sequence[str]],
        put: Callable[[Burst], object],
        *,
        now_ms: Callable[[], int],
        devices: Callable[[], Sequence[Account]] = tuple,
    ) -> None:
        self._site = site
        self._data = data
        self._topics = topics
        self._put = put
        self._now_ms = now_ms
        self._devices = devices
        self._applied = tuple(devices())
        self._sessions = KnownSessions(data)
        self.connections: dict[str, Connection] = {}
        self.embedded: EmbeddedBroker | None = None
        self.keeper: BrokerKeeper | None = None
        own = next(((name, broker) for name, broker in site.all_brokers.items() if broker.embedded), None)
        if own is not None:
            self._own_name, self._own = own
            self._identity = identity(
                data,
                site.id,
                guessable=f"{self._own.client_id}-{site.id}",
                broker_folder=self._folder,
            )
            self.embedded = self._embedded()
            self.keeper = BrokerKeeper(self.embedded, on_restart=self._follow, on_well=self.apply_accounts)

    def start(self) -> None:
        """Starts the embedded broker and all connections, which come up in the background."""
        if self.embedded is not None and self.keeper is not None:
            if self._identity.before:
                self._move_session()
            self.embedded.start()
            self.keeper.start()
        for name in self._site.all_brokers:
            address = self.address(name)
            connection = Connection(
                address,
                self._topics(name),
                self._put,
                now_ms=self._now_ms,
                session=self._session(name, address),
            )
            self.connections[name] = connection
            connection.start()

    def publish_to_ourselves(self, topic: str, payloads: Sequence[bytes]) -> bool | None:
        """Publishes at the broker we run ourselves, where we hear everything; None where there is no such broker.

        At another's we may not publish, and nobody there wants to hear it.
        """
        if self.embedded is None:
            return None
        connection = self.connections.get(self._own_name)
        return connection is not None and all(connection.publish(topic, payload) for payload in payloads)

    def stop_receiving(self) -> None:
        """Leaves every broker without ending its session."""
        for connection in self.connections.values():
            connection.stop()

    def stop(self) -> None:
        """Ends the embedded broker; what it holds is on disk."""
        self.stop_receiving()
        if self.keeper is not None:
            self.keeper.stop()
        if self.embedded is not None:
            self.embedded.stop()

    def resubscribe(self) -> None:
        """Follows changed sources."""
        for name, connection in self.connections.items():
            connection.resubscribe(self._topics(name))

    @property
    def connected(self) -> bool:
        """Whether every broker is connected and has confirmed our subscriptions."""
        return bool(self.connections) and all(
            connection.listening for connection in self.connections.values()
        )

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Who looks after our own broker."""
        return () if self.keeper is None else (self.keeper.worker,)

    def address(self, name: str = "") -> BrokerAddress:
        """Where we connect to the broker of that *name* (the only one, or the embedded one, for an empty name)."""
        settings = self._settings(name)
        address = outside_address(settings, self._site.id, name)
        if self.embedded is None or not settings.embedded:
            return address
        return msgspec.structs.replace(
            address,
            host=self.embedded.own_host,
            port=self.embedded.own_port,
            protocol=self.embedded.protocol,
            client_id=self._identity.before or self._identity.client_id,
            username=SERVICE,
            password=self._identity.service_password,
        )

    def simulated(self, name: str = "") -> BrokerAddress:
        """Where and as whom simulated devices publish at the broker of that *name*."""
        address = self.address(name)
        if self.embedded is None or not self._settings(name).embedded:
            return address
        return msgspec.structs.replace(
            address, username=SIMULATOR, password=self._identity.simulator_password
        )

    def devices_at(self, name: str = "") -> str:
        """Host and port at which devices reach the broker of that *name*, for people."""
        if self.embedded is not None and self._settings(name).embedded:
            return f"{self.embedded.host}:{self.embedded.port}"
        address = self.address(name)
        return f"{address.host}:{address.port}"

    def keeper_of(self, name: str) -> BrokerKeeper | None:
        """Who looks after the broker of that *name*, where it is our own."""
        return self.keeper if self._settings(name).embedded else None

    def apply_accounts(self) -> None:
        """Has our own broker take up changed accounts, once our own session is there to keep its rights."""
        accounts = tuple(self._devices())
        if accounts == self._applied or self.embedded is None:
            return
        connection = self.connections.get(self._own_name)
        if connection is not None and connection.listening:
            self._applied = accounts
            self.embedded.reload()

    def _settings(self, name: str) -> Broker:
        every = self._site.all_brokers
        settings = every.get(name) or next((broker for broker in every.values() if broker.embedded), None)
        return settings or next(iter(every.values()))

    @property
    def _folder(self) -> Path:
        return self._data.resolve() / "broker"

    def _embedded(self, *, port: int | None = None) -> EmbeddedBroker:
        """Our broker as site.yaml says; on *port* of loopback alone where one is given."""
        settings = self._own
        host, _, configured = settings.listen.rpartition(":")
        certificate = (settings.listen_tls_cert_file, settings.listen_tls_key_file)
        return EmbeddedBroker(
            self._folder,
            host=(host or "127.0.0.1") if port is None else "127.0.0.1",
            port=int(configured) if port is None else port,
            certificate=certificate if all(certificate) and port is None else None,
            topics=self._topics(self._own_name),
            accounts=self._accounts,
        )

    def _accounts(self) -> list[Account]:
        """Our own two, what all devices share, and those of single devices and gateways."""
        settings = self._own
        accounts = [self._identity.service, self._identity.simulator, *self._devices()]
        if settings.username or is_loopback(settings.listen.rpartition(":")[0]) or not self._devices():
            password = settings.password.get_secret_value()
            accounts.append(
                Account(settings.username, password, publish=("#",), subscribe=settings.listen_subscribe)
            )
        return accounts

    def _move_session(self) -> None:
        """Leaves the session of an older version, which anybody could guess and take."""
        who = self._identity
        hidden = self._embedded(port=0)
        hidden.start()
        try:
            old = msgspec.structs.replace(
                self.address(self._own_name),
                host=hidden.own_host,
                port=hidden.own_port,
                client_id=who.before,
            )
            new = msgspec.structs.replace(old, client_id=who.client_id)
            moved = move_session(old, new, self._topics(self._own_name), self._put, now_ms=self._now_ms)
        finally:
            hidden.stop()
        if moved:
            self._identity = Identity(who.client_id, who.service_password, who.simulator_password)
            keep(self._data, self._identity)

    def _session(self, name: str, address: BrokerAddress) -> SessionWatch:
        """Our session is known by our name and where the broker is; our own may be on another port each time."""
        own = self.embedded if self._settings(name).embedded else None
        key = f"{address.client_id}@{address.host}:{address.port}" if own is None else address.client_id

        def kept() -> None:
            self._sessions.add(key)
            if own is not None:
                own.save()

        return SessionWatch(known=key in self._sessions, on_kept=kept)

    def _follow(self) -> None:
        """Our broker came up again, maybe on another port of loopback."""
        if self.embedded is not None and self._own_name in self.connections:
            self.connections[self._own_name].move(self.embedded.own_host, self.embedded.own_port)
