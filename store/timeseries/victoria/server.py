"""The VictoriaMetrics server: lines in, samples out, and what it says of itself. Its errors become ours."""

from __future__ import annotations

import contextlib
import email.utils
import re
from collections.abc import Iterator, Mapping

import httpx2
import msgspec

from campus.clock import DAY_MS, HOUR_MS
from store.errors import StoreUnavailable
from store.timeseries.halving import BodyRefused
from store.timeseries.victoria.address import VictoriaAddress

_TIMEOUT_S = 30.0
#: what its own refusals begin with or name; a proxy's 400 must not cost a single reading
_OWN = "requestURI"
_LONGEST_REASON = 300
_FLAG = re.compile(r'flag\{name="([\w.]+)", ?value="([^"]*)"')
_BYTES = re.compile(r"^vm_data_size_bytes\{[^}]*\} (\S+)$", re.MULTILINE)
#: without a unit the retention is in months of 31 days
_PERIODS_MS = {"h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS, "y": 365 * DAY_MS, "": 31 * DAY_MS}
_PERIOD = re.compile(r"(\d+(?:\.\d+)?)([hdwy]?)")
#: it takes no samples further ahead of its clock
_AHEAD_MS = 2 * DAY_MS


class Samples(msgspec.Struct, frozen=True):
    """A series of the server with samples, not in order; a value of None is a NaN."""

    metric: dict[str, str]
    values: list[float | None]
    timestamps: list[int]


class _Found(msgspec.Struct, frozen=True):
    metric: dict[str, str]
    value: tuple[float, str]


class _Vector(msgspec.Struct, frozen=True):
    result: list[_Found]


class _Instant(msgspec.Struct, frozen=True):
    data: _Vector


class _SeriesList(msgspec.Struct, frozen=True):
    data: list[dict[str, str]]


class ServerState(msgspec.Struct, frozen=True):
    """What the server says of itself: its clock, the span of time it keeps, its bytes."""

    now_ms: int
    oldest_ms: int
    newest_ms: int
    retention: str
    size_bytes: int | None


class VictoriaServer:
    """One server, single-node or whatever speaks for a cluster under one address."""

    def __init__(self, address: VictoriaAddress) -> None:
        self._address = address
        auth = (address.username, address.password) if address.username else None
        self._http = httpx2.Client(auth=auth, timeout=_TIMEOUT_S, trust_env=False)

    def write(self, body: bytes) -> None:
        """Takes lines; only 204 is success. Raises :class:`store.timeseries.halving.BodyRefused`."""
        with self._translated():
            answer = self._http.post(f"{self._address.url}/write", params={"precision": "ms"}, content=body)
        if answer.status_code == 204:
            return
        if answer.status_code == 413 or (answer.status_code == 400 and _OWN in answer.text):
            raise BodyRefused(answer.text[:_LONGEST_REASON], too_large=answer.status_code == 413)
        raise self._unexpected(answer)

    def export(self, selector: str, start_ms: int, end_ms: int) -> list[Samples]:
        """The raw samples with ``start_ms <= time_ms < end_ms``."""
        answer = self._ask(
            "/api/v1/export",
            {"match[]": selector, "start": _seconds(start_ms), "end": _seconds(end_ms - 1)},
        )
        with self._translated():
            return [_SAMPLES.decode(line) for line in answer.content.splitlines() if line]

    def instant(self, query: str, time_ms: int) -> list[tuple[dict[str, str], float]]:
        """What *query* comes to at *time_ms*, by labels."""
        answer = self._ask("/api/v1/query", {"query": query, "time": _seconds(time_ms), "nocache": "1"})
        with self._translated():
            found = _INSTANT.decode(answer.content).data.result
            return [(one.metric, float(one.value[1])) for one in found]

    def series(self, selector: str) -> list[dict[str, str]]:
        """The labels of every series that matches."""
        answer = self._ask("/api/v1/series", {"match[]": selector, "start": "1"})
        with self._translated():
            return _SERIES.decode(answer.content).data

    def state(self) -> ServerState:
        """Its clock and its limits. A server that does not tell its retention is taken to keep everything."""
        url = f"{self._address.url}/metrics"
        with self._translated():
            answer = self._http.get(
                url
            )  # refused, where they are kept from others: the clock is told all the same
            now_ms = int(email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp()) * 1000
        text = answer.text
        retention = dict(_FLAG.findall(text)).get("retentionPeriod", "")
        period = _PERIOD.fullmatch(retention)
        kept_ms = int(float(period[1]) * _PERIODS_MS[period[2]]) if period else now_ms
        sizes = [float(size) for size in _BYTES.findall(text)]
        return ServerState(
            now_ms,
            max(0, now_ms - kept_ms),
            now_ms + _AHEAD_MS,
            retention,
            int(sum(sizes)) if sizes else None,
        )

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _ask(self, path: str, form: Mapping[str, str]) -> httpx2.Response:
        url = f"{self._address.url}{path}"
        with self._translated():  # a form, as a query may be longer than an address
            answer = self._http.post(url, data=dict(form)) if form else self._http.get(url)
        if answer.status_code != 200:
            raise self._unexpected(answer)
        return answer

    def _unexpected(self, answer: httpx2.Response) -> StoreUnavailable:
        hint = {401: "the user or password is not known: ", 403: "the user may not do this: "}
        said = " ".join(answer.text.split())[:_LONGEST_REASON]
        return StoreUnavailable(
            self._address.url, f"HTTP {answer.status_code}: {hint.get(answer.status_code, '')}{said}"
        )

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        url = self._address.url
        try:
            yield
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise StoreUnavailable(url, str(error) or type(error).__name__) from error
        except (msgspec.MsgspecError, ValueError, LookupError, TypeError) as error:
            raise StoreUnavailable(
                url, f"an answer that is not VictoriaMetrics': {str(error)[:100]}"
            ) from error


def _seconds(time_ms: int) -> str:
    """A time as the API takes it."""
    return f"{time_ms // 1000}.{time_ms % 1000:03}"


_SAMPLES = msgspec.json.Decoder(Samples)
_INSTANT = msgspec.json.Decoder(_Instant)
_SERIES = msgspec.json.Decoder(_SeriesList)
