"""The site's brokers: the one we run ourselves where there is one, and a connection to each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from campus.broker import Broker
from campus.site import Site
from ingest.burst import Burst
from ingest.connection import BrokerAddress, Connection
from service.broker import EmbeddedBroker

_PROTOCOLS = {"auto": 0, "5": 5, "3.1.1": 4}


class Brokers:
    """Starts what we run, connects to all. *topics* tells what to subscribe to at the broker of a name."""

    def __init__(
        self,
        site: Site,
        data: Path,
        topics: Callable[[str], Sequence[str]],
        put: Callable[[Burst], object],
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self._site = site
        self._topics = topics
        self._put = put
        self._now_ms = now_ms
        own = next(((name, one) for name, one in site.all_brokers.items() if one.embedded), None)
        self.embedded = None if own is None else _embedded(own[1], data, topics(own[0]))
        self.connections: dict[str, Connection] = {}

    def start(self) -> None:
        """Starts the embedded broker and all connections, which come up in the background."""
        if self.embedded is not None:
            self.embedded.start()
        for name in self._site.all_brokers:
            connection = Connection(self.address(name), self._topics(name), self._put, now_ms=self._now_ms)
            self.connections[name] = connection
            connection.start()

    def stop_receiving(self) -> None:
        """Leaves every broker without ending its session."""
        for connection in self.connections.values():
            connection.stop()

    def stop(self) -> None:
        """Ends the embedded broker; what it holds is on disk."""
        self.stop_receiving()
        if self.embedded is not None:
            self.embedded.stop()

    def resubscribe(self) -> None:
        """Follows changed sources."""
        for name, connection in self.connections.items():
            connection.resubscribe(self._topics(name))

    @property
    def connected(self) -> bool:
        """Whether every broker is connected and has confirmed our subscriptions."""
        return bool(self.connections) and all(one.listening for one in self.connections.values())

    def address(self, name: str = "") -> BrokerAddress:
        """Where to connect to the broker of that *name* (the only one, or the embedded one, for an empty name)."""
        every = self._site.all_brokers
        settings = every.get(name) or next((one for one in every.values() if one.embedded), None)
        settings = settings or next(iter(every.values()))
        return _address(settings, self._site.id, self.embedded if settings.embedded else None, name)


def _address(settings: Broker, site_id: str, embedded: EmbeddedBroker | None, name: str) -> BrokerAddress:
    common: dict[str, Any] = {
        "client_id": f"{settings.client_id}-{site_id}",
        "username": settings.username,
        "password": settings.password.get_secret_value(),
        "name": name,
        "receive_maximum": settings.receive_maximum,
        "session_expiry_s": settings.session_expiry_h * 3600,
    }
    if embedded is not None:
        return BrokerAddress(embedded.own_host, embedded.own_port, protocol=embedded.protocol, **common)
    url = urlsplit(settings.url)
    tls = url.scheme == "mqtts"
    return BrokerAddress(
        url.hostname or "",
        url.port or (8883 if tls else 1883),
        tls=tls,
        ca_file=settings.ca_file,
        cert_file=settings.tls_cert_file,
        key_file=settings.tls_key_file,
        protocol=_PROTOCOLS[settings.protocol],
        **common,
    )


def _embedded(settings: Broker, data: Path, topics: Sequence[str]) -> EmbeddedBroker:
    host, _, port = settings.listen.rpartition(":")
    credentials = (settings.username, settings.password.get_secret_value()) if settings.username else None
    certificate = (settings.listen_tls_cert_file, settings.listen_tls_key_file)
    return EmbeddedBroker(
        data.resolve() / "broker",
        host=host or "127.0.0.1",
        port=int(port),
        credentials=credentials,
        certificate=certificate if all(certificate) else None,
        topics=topics,
    )
