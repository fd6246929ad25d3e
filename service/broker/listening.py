"""Where a program listens, and where it is reached."""

from __future__ import annotations

import socket

from service.errors import BrokerUnavailable


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach what listens on *host*."""
    return host in {"", "127.0.0.1", "::1", "localhost"}


def reached_at(host: str) -> str:
    """Where this machine reaches what listens on *host*: on loopback where that is every address."""
    return "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound


def check_free(host: str, port: int) -> None:
    """Raises :class:`BrokerUnavailable` where something listens there already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"{error.strerror or error}; expected a free port under broker.listen"
            raise BrokerUnavailable(f"{host}:{port}", reason) from error


def is_free(host: str, port: int) -> bool:
    """Whether nothing listens there."""
    try:
        check_free(host, port)
    except BrokerUnavailable:
        return False
    return True


def free_port(host: str) -> int:
    """A port of *host* on which nothing listens at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
