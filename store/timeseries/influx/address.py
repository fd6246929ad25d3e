"""Where an InfluxDB 2 is, and as whom it is used."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from store.errors import BadStoreUrl

_TOKEN_VARIABLE = "SHOUYUAN_INFLUX_TOKEN"  # noqa: S105 - the name of a variable
_URL = re.compile(r"influxdb2(s?)://(?:([^@/]*)@)?([^@/]+)/([^@/]+)/([^@/]+)/?")


class InfluxAddress(msgspec.Struct, frozen=True):
    """The parts of a store URL. The token never appears in a text of ours."""

    url: str
    token: str
    org: str
    bucket: str

    def __repr__(self) -> str:
        return f"InfluxAddress({self.url}, {self.org}/{self.bucket})"


def parse_url(url: str, environment: Mapping[str, str] = os.environ) -> InfluxAddress:
    """The parts of ``influxdb2://TOKEN@HOST:PORT/ORG/BUCKET`` (``influxdb2s`` over TLS), each percent-encoded.

    Without a token in the URL the one of SHOUYUAN_INFLUX_TOKEN is used.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise BadStoreUrl(url)
    secure, token, host, org, bucket = match.groups()
    token = unquote(token or "") or environment.get(_TOKEN_VARIABLE, "")
    return InfluxAddress(f"http{secure}://{host}", token, unquote(org), unquote(bucket))
