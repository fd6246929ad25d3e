"""Where a simulated campus publishes to: ``mqtt://user:password@host:port`` or ``mqtts://…``."""

from __future__ import annotations

from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit


class BrokerUrl(NamedTuple):
    """A broker's address and account."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    tls: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads a URL; raises ValueError."""
        url = urlsplit(text if "://" in text else f"mqtt://{text}")
        expected = "expected mqtt://host:port or mqtts://host:port, with user:password@ where it needs them"
        try:
            port = url.port
        except ValueError as error:
            raise ValueError(f"{text}: {error}; {expected}") from error
        if url.scheme not in {"mqtt", "mqtts"} or not url.hostname or url.path.strip("/"):
            raise ValueError(f"{text!r} is no broker; {expected}")
        tls = url.scheme == "mqtts"
        account = unquote(url.username or ""), unquote(url.password or "")
        return cls(url.hostname, port or (8883 if tls else 1883), *account, tls=tls)

    def __str__(self) -> str:
        """Without the password."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"
