"""Where an InfluxDB 2 is, and as whom it is used."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from campus.store_url import StoreKind, StoreUrl, read_store_url
from store.errors import BadStoreUrl

_TOKEN_VARIABLE = "SHOUYUAN_INFLUX_TOKEN"  # noqa: S105 - the name of a variable


class InfluxAddress(msgspec.Struct, frozen=True):
    """A server with what is used of it. The token never appears in a text of ours."""

    url: str
    token: str
    org: str
    bucket: str

    def __repr__(self) -> str:
        return f"InfluxAddress({self.url}, {self.org}/{self.bucket})"

    @classmethod
    def of(cls, url: StoreUrl, environment: Mapping[str, str] = os.environ) -> InfluxAddress:
        """The address in *url*, of this kind; without a token there the one of SHOUYUAN_INFLUX_TOKEN."""
        return cls(url.server, url.secret or environment.get(_TOKEN_VARIABLE, ""), url.org, url.bucket)


def parse_url(text: str, environment: Mapping[str, str] = os.environ) -> InfluxAddress:
    """The address in *text*, written as :mod:`campus.store_url` says; raises :class:`store.errors.BadStoreUrl`."""
    url = read_store_url(text)
    if url is None or url.kind is not StoreKind.INFLUXDB:
        raise BadStoreUrl(text, StoreKind.INFLUXDB)
    return InfluxAddress.of(url, environment)
