"""Asking a provider over HTTP, with every way it can go wrong as a :class:`Delivery`."""

from __future__ import annotations

import queue
import threading
from typing import Any

import httpx2

from alerts.channels.contract import Delivery, retry

TIMEOUT_S = 10.0
#: a time-out is of one read or write; all of them together take no longer than this many
_DEADLINE_TIMEOUTS = 2.0


class ProviderHttp:
    """A client for one provider, of whose answers none takes longer than *deadline_s* however slowly it drips.

    Thread-safe.
    """

    def __init__(self, base_url: str, *, timeout_s: float, deadline_s: float) -> None:
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._http = self._made()

    def build_request(self, method: str, path: str, **arguments: Any) -> httpx2.Request:
        """A request to the provider; *arguments* are httpx's."""
        return self._http.build_request(method, path, **arguments)

    def send(self, request: httpx2.Request) -> httpx2.Response:
        """The whole answer; raises :class:`httpx2.HTTPError`, or :class:`TimeoutError` beyond the deadline."""
        answers: queue.SimpleQueue[httpx2.Response | Exception] = queue.SimpleQueue()
        http = self._http
        # In a thread of its own: headers that drip in cannot be given up from within the call.
        threading.Thread(target=_ask, args=(http, request, answers), name="http", daemon=True).start()
        try:
            answer = answers.get(timeout=self._deadline_s)
        except queue.Empty:
            self._http = self._made()
            http.close()  # ends the connection, and with it the thread
            raise TimeoutError from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Ends its connections."""
        self._http.close()

    def _made(self) -> httpx2.Client:
        return httpx2.Client(base_url=self._base_url, timeout=self._timeout_s, follow_redirects=False)


def client(base_url: str, *, timeout_s: float = TIMEOUT_S) -> ProviderHttp:
    """A client for one provider."""
    return ProviderHttp(base_url, timeout_s=timeout_s, deadline_s=_DEADLINE_TIMEOUTS * timeout_s)


def ask(http: ProviderHttp, request: httpx2.Request) -> dict[str, Any] | Delivery:
    """The provider's JSON object; a :class:`Delivery` when there is none."""
    try:
        response = http.send(request)
    except (httpx2.TimeoutException, TimeoutError):
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


def _ask(
    http: httpx2.Client, request: httpx2.Request, answers: queue.SimpleQueue[httpx2.Response | Exception]
) -> None:
    try:
        answers.put(http.send(request))
    except Exception as error:  # noqa: BLE001 - raised again where it was asked
        answers.put(error)
