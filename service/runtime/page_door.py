"""Where the page listens and to whom: loopback, or farther with a certificate or behind a proxy that has one."""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
from typing import Any

from api.transport.server import server_options
from service.errors import CertificateUnusable, PageExposed, PortTaken, ProxyUnknown
from service.settings import ServiceSettings


class PageDoor:
    """The page's socket, taken before anything else is started. Raises a :class:`service.errors.ServiceError` that names
    the remedy where it cannot be, or must not be as passwords would go over the network in clear.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._proxies = [proxy.strip() for proxy in settings.behind_proxy.split(",") if proxy.strip()]
        _check_proxies(self._proxies)
        _check_certificate(settings)
        if not (_is_loopback(settings.host) or self._proxies or settings.tls_cert):
            raise PageExposed(settings.host)
        self.socket, self.moved = _bound(settings)

    @property
    def url(self) -> str:
        """The page's address as this machine sees it."""
        host, port = self.socket.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self._settings.tls_cert else 'http'}://{shown}:{port}"

    def options(self) -> dict[str, Any]:
        """What the server is made with."""
        options = server_options(proxies=self._proxies)
        if self._settings.tls_cert:
            options |= {"ssl_certfile": self._settings.tls_cert, "ssl_keyfile": self._settings.tls_key}
        return options

    def close(self) -> None:
        """Gives the port back."""
        self.socket.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_proxies(proxies: list[str]) -> None:
    for proxy in proxies:
        try:
            ipaddress.ip_network(proxy, strict=False)
        except ValueError as error:
            raise ProxyUnknown(proxy) from error


def _check_certificate(settings: ServiceSettings) -> None:
    cert, key = settings.tls_cert, settings.tls_key
    if cert is None and key is None:
        return
    if cert is None or key is None:
        raise CertificateUnusable(cert or key or "", "expected both a certificate and its key")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise CertificateUnusable(f"{cert}, {key}", error.strerror or str(error)) from error


def _bound(settings: ServiceSettings) -> tuple[socket.socket, bool]:
    """The socket, and whether it is on another port than the default as that is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    page = socket.socket(family)
    page.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    moved = False
    try:
        try:
            page.bind((settings.host, settings.port))
            page.listen()  # at once, so that another service hears now that the port is taken
        except OSError as error:
            if error.errno != errno.EADDRINUSE or "port" in settings.model_fields_set:
                raise
            page.close()
            page, moved = socket.socket(family), True
            page.bind((settings.host, 0))
    except OSError as error:
        page.close()
        raise PortTaken(settings.host, settings.port, error.strerror or str(error)) from error
    return page, moved
