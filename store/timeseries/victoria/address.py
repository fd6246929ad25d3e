"""Where a VictoriaMetrics is, and as whom it is used."""

from __future__ import annotations

import msgspec

from campus.store_url import StoreKind, StoreUrl, read_store_url
from store.errors import BadStoreUrl


class VictoriaAddress(msgspec.Struct, frozen=True):
    """A server and an account there. The password never appears in a text of ours."""

    url: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"VictoriaAddress({self.url})"

    @classmethod
    def of(cls, url: StoreUrl) -> VictoriaAddress:
        """The address in *url*, of this kind."""
        return cls(url.server, url.user, url.secret)


def parse_url(text: str) -> VictoriaAddress:
    """The address in *text*, written as :mod:`campus.store_url` says; raises :class:`store.errors.BadStoreUrl`."""
    url = read_store_url(text)
    if url is None or url.kind is not StoreKind.VICTORIAMETRICS:
        raise BadStoreUrl(text, StoreKind.VICTORIAMETRICS)
    return VictoriaAddress.of(url)
