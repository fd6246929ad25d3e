"""Aliyun's request signature, ACS3-HMAC-SHA256."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

_ALGORITHM = "ACS3-HMAC-SHA256"


def signed_headers(
    *,
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
    key_id: str,
    key_secret: str,
) -> dict[str, str]:
    """*headers* (``host`` and ``x-acs-*`` among them) with ``x-acs-content-sha256`` and ``Authorization``."""
    body_hash = hashlib.sha256(body).hexdigest()
    every = {name.lower(): value.strip() for name, value in headers.items()} | {
        "x-acs-content-sha256": body_hash
    }
    signed = sorted(name for name in every if name in {"host", "content-type"} or name.startswith("x-acs-"))
    canonical = "\n".join(
        (
            method,
            path,
            canonical_query(query),
            "".join(f"{name}:{every[name]}\n" for name in signed),
            ";".join(signed),
            body_hash,
        )
    )
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={key_id},SignedHeaders={';'.join(signed)},Signature={signature}"
    return every | {"authorization": f"{_ALGORITHM} {credential}"}


def canonical_query(query: Mapping[str, str]) -> str:
    """The query as it is signed, and so must be sent: sorted, RFC 3986 escapes, ``~`` kept."""
    return "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(query.items())
    )
