"""Where a VictoriaMetrics is, and as whom it is used."""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec

from store.errors import BadStoreUrl

_URL = re.compile(r"victoriametrics(s?)://(?:([^:@/]*):([^@/]*)@)?([^@/?#]+)(/[^?#]*)?")


class VictoriaAddress(msgspec.Struct, frozen=True):
    """The parts of a store URL. The password never appears in a text of ours."""

    url: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"VictoriaAddress({self.url})"


def parse_url(url: str) -> VictoriaAddress:
    """The parts of ``victoriametrics://[USER:PASSWORD@]HOST:PORT[/PREFIX]`` (``victoriametricss`` over TLS)."""
    match = _URL.fullmatch(url)
    if match is None:
        raise BadStoreUrl(url)
    secure, username, password, host, prefix = match.groups()
    return VictoriaAddress(
        f"http{secure}://{host}{(prefix or '').rstrip('/')}", unquote(username or ""), unquote(password or "")
    )
