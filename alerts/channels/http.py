"""Asking a provider over HTTP, with every way it can go wrong as a :class:`Delivery`."""

from __future__ import annotations

from typing import Any

import httpx2

from alerts.channels.contract import Delivery, retry

TIMEOUT_S = 10.0


def client(base_url: str, *, timeout_s: float = TIMEOUT_S) -> httpx2.Client:
    """A client for one provider."""
    return httpx2.Client(base_url=base_url, timeout=timeout_s, follow_redirects=False)


def ask(http: httpx2.Client, request: httpx2.Request) -> dict[str, Any] | Delivery:
    """The provider's JSON object; a :class:`Delivery` when there is none."""
    try:
        response = http.send(request)
    except httpx2.TimeoutException:
        return retry("timeout", f"{request.url.host} did not answer in time")
    except httpx2.HTTPError as error:
        return retry(type(error).__name__, f"{request.url.host}: {error}")
    if response.status_code >= 500:
        return retry(f"http {response.status_code}", response.text[:300])
    try:
        body = response.json()
    except ValueError:
        return retry(f"http {response.status_code}", f"the answer is no JSON: {response.text[:200]!r}")
    if not isinstance(body, dict):
        return retry(
            f"http {response.status_code}", f"the answer is a JSON {type(body).__name__}, expected an object"
        )
    return body
