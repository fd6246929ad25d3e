"""The grammar of ``store:`` in site.yaml: which stores there are, how the URL of each is written, and what its parts mean.

It stands here and not beside the stores because site.yaml is judged where nothing is opened. A further store is a line in
:data:`_GRAMMAR` and a package under ``store/timeseries`` that :func:`store.timeseries.opening.open_store` opens.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import unquote

import msgspec


class StoreKind(StrEnum):
    """The stores there are, by the scheme of their URL; an ``s`` behind it means TLS, where the store is a server."""

    EMBEDDED = "embedded"
    INFLUXDB = "influxdb2"
    VICTORIAMETRICS = "victoriametrics"


class StoreUrl(msgspec.Struct, frozen=True):
    """The parts of a store's URL, percent-decoded but for server and folder; what a kind of store does not have is empty."""

    kind: StoreKind
    #: ``http://HOST:PORT[/PREFIX]`` of a server, ``https://`` over TLS
    server: str = ""
    user: str = ""
    #: password or token; shown nowhere
    secret: str = ""
    #: of InfluxDB
    org: str = ""
    #: of InfluxDB
    bucket: str = ""
    #: of another embedded store than the service's own; commands take it, site.yaml does not
    folder: str = ""

    def __repr__(self) -> str:
        return f"StoreUrl({self.kind} {self.server or self.folder})"


class _Form(NamedTuple):
    #: as people are told to write it
    written: str
    #: its groups are ``tls``, ``host``, ``prefix``, and the fields of :class:`StoreUrl` of the same name
    pattern: re.Pattern[str]


_GRAMMAR = {
    StoreKind.EMBEDDED: _Form("embedded", re.compile(r"embedded(?::(?P<folder>.*))?")),
    StoreKind.INFLUXDB: _Form(
        "influxdb2://TOKEN@HOST:PORT/ORG/BUCKET",
        re.compile(
            r"influxdb2(?P<tls>s?)://(?:(?P<secret>[^@/]*)@)?(?P<host>[^@/]+)/(?P<org>[^@/]+)/(?P<bucket>[^@/]+)/?"
        ),
    ),
    StoreKind.VICTORIAMETRICS: _Form(
        "victoriametrics://[USER:PASSWORD@]HOST:PORT[/PREFIX]",
        re.compile(
            r"victoriametrics(?P<tls>s?)://(?:(?P<user>[^:@/]*):(?P<secret>[^@/]*)@)?(?P<host>[^@/?#]+)(?P<prefix>/[^?#]*)?"
        ),
    ),
}
#: every form on one line, for help and for errors
FORMS = ", ".join(form.written for form in _GRAMMAR.values())


def read_store_url(text: str) -> StoreUrl | None:
    """The parts of *text*, or None where it is no store's URL."""
    for kind, form in _GRAMMAR.items():
        match = form.pattern.fullmatch(text)
        if match is not None:
            parts = {name: part or "" for name, part in match.groupdict().items()}
            tls, host = parts.pop("tls", ""), parts.pop("host", "")
            server = f"http{tls}://{host}{parts.pop('prefix', '').rstrip('/')}" if host else ""
            folder = parts.pop("folder", "")  # a path, not a part of a URL
            return StoreUrl(
                kind, server, folder=folder, **{name: unquote(part) for name, part in parts.items()}
            )
    return None


def expected_form(text: str) -> str:
    """How *text*, which is no store's URL, should be written: as its scheme wants it, else any of :data:`FORMS`."""
    kind = _kind_of_scheme(text)
    return f"one of {FORMS}" if kind is None else _GRAMMAR[kind].written


def form_of(kind: StoreKind) -> str:
    """How the URL of a *kind* of store is written."""
    return _GRAMMAR[kind].written


def without_secret(text: str) -> str:
    """*text*, which may be no store's URL, without what stands before an ``@``: that may be a token or a password."""
    return re.sub(r"//.*@", "//***@", text)


def _kind_of_scheme(text: str) -> StoreKind | None:
    scheme = text.partition(":")[0]
    return next((kind for kind in StoreKind if scheme in {kind, f"{kind}s"}), None)
