"""What the InfluxDB store makes of a server's answers: a loopback server that answers as told."""

import http.server
import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from campus.quantity import Quantity
from campus.reading import Reading, Series
from store.errors import BadStoreUrl, PointRefused, StoreError, StoreUnavailable
from store.timeseries.influx.address import InfluxAddress, parse_url
from store.timeseries.influx.store import InfluxStore
from store.timeseries.opening import open_store

TOKEN = "secret-token"
SERIES = Series("冰柜 1", Quantity.TEMPERATURE)
CSV = (
    "#datatype,string,long,dateTime:RFC3339,double\r\n#group,false,false,false,false\r\n#default,_result,,,\r\n"
    ",result,table,_time,value\r\n,,0,2026-11-21T00:00:00Z,4.5\r\n\r\n"
)


def always(answer):
    """An answer that does not depend on the request."""
    return lambda *_: answer


class StandIn(http.server.ThreadingHTTPServer):
    """Answers every request with what *answer* gives for its path and body: (status, headers, body)."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = always((204, {}, b""))
        self.requests = []


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, dict(self.headers), body))
        status, headers, answer = self.server.answer(self.path, body)
        if status is None:
            self.wfile.write(answer)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    running = StandIn()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def store(server):
    opened = InfluxStore(
        InfluxAddress(f"http://127.0.0.1:{server.server_address[1]}", TOKEN, "school", "校园 1")
    )
    yield opened
    opened.close()


def readings(count):
    return [Reading(SERIES, float(n), 1000 + n, 1000 + n) for n in range(count)]


def refusal(status, message):
    code = {400: "invalid", 413: "request too large", 422: "unprocessable entity"}[status]
    return (
        status,
        {"Content-Type": "application/json"},
        json.dumps({"code": code, "message": message}).encode(),
    )


def stored(server):
    """The times of the lines of all bodies that were answered with 204."""
    return sorted({int(line.rpartition(b" ")[2]) for body in server.accepted for line in body.split(b"\n")})


def test_a_write_is_one_request(server, store):
    """One body of lines in milliseconds goes to the bucket, with the token in its header only."""
    store.write(readings(3))
    ((path, headers, body),) = server.requests
    assert urlsplit(path).path == "/api/v2/write"
    assert parse_qs(urlsplit(path).query) == {"org": ["school"], "bucket": ["校园 1"], "precision": ["ms"]}
    assert headers["Authorization"] == f"Token {TOKEN}"
    assert body.decode().split("\n")[1] == "temperature,device=冰柜\\ 1 value=1.0,quality=0.0 1001"
    assert TOKEN not in path


def test_one_line_for_each_series_and_time(server, store):
    """Of readings of one series and time only the last is sent: which of two a server keeps is not promised."""
    store.write([Reading(SERIES, 1.0, 5, 5), Reading(SERIES, 7.0, 6, 6), Reading(SERIES, 2.0, 5, 5)])
    ((_, _, body),) = server.requests
    sent = sorted(line.rpartition(" value=")[2] for line in body.decode().split("\n"))
    assert sent == ["2.0,quality=0.0 5", "7.0,quality=0.0 6"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((503, {"Retry-After": "5"}, b"busy"), "503"),
        ((500, {}, b'{"code":"internal error","message":"engine: closed"}'), "engine: closed"),
        ((429, {}, b""), "429"),
        ((400, {}, b"<html>The plain HTTP request was sent to HTTPS port</html>"), "HTTPS port"),
        ((400, {}, b'{"error":"database is required"}'), "database is required"),
        ((400, {}, b"[1]"), "400"),
        ((422, {}, b""), "422"),
        ((413, {}, b"not even one line"), "not even one line"),
        ((401, {}, b'{"code":"unauthorized","message":"unauthorized access"}'), "the token is not known"),
        ((403, {}, b""), "may not use this bucket"),
        ((404, {}, b'{"code":"not found","message":"bucket not found"}'), "does not exist"),
        ((502, {"Content-Type": "text/html"}, b"<html>\xff\xfe bad gateway</html>"), "not InfluxDB's"),
        ((200, {"Content-Type": "text/html"}, b"<html>please sign in to the school's network</html>"), "expected 204"),
        ((302, {"Location": "/login"}, b""), "30"),
        ((None, {}, b"SSH-2.0-OpenSSH_9.2\r\n"), "SSH-2.0"),
        ((None, {}, b""), "onnection"),
    ],
)  # fmt: skip
def test_a_write_that_may_succeed_later(server, store, answer, said):
    """Busy, locked out, moved, or not InfluxDB at all: unavailable, with the reason and without the token."""
    server.answer = always(answer)
    with pytest.raises(StoreUnavailable, match=said) as caught:
        store.write(readings(2))
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(caught.value)


@pytest.mark.parametrize("message", ["unable to parse 'x': bad line", "field type conflict on value"])
def test_poison_points_are_found(server, store, message):
    """Bodies that hold a bad line are halved until it stands alone; every other line is stored."""
    bad = {b"1013", b"1040"}
    server.accepted = []

    def answer(_, body):
        if any(line.rpartition(b" ")[2] in bad for line in body.split(b"\n")):
            return refusal(400, message)
        server.accepted.append(body)
        return 204, {}, b""

    server.answer = answer
    with pytest.raises(PointRefused) as caught:
        store.write(readings(64))
    assert caught.value.refused == ((13, message), (40, message))
    assert stored(server) == [1000 + n for n in range(64) if n not in {13, 40}]
    assert len(server.requests) < 30


def test_all_dropped_needs_no_halving(server, store):
    """When a partial write dropped every point (a bucket's retention), one request is enough to know."""
    message = "failure writing points to database: partial write: points beyond retention policy dropped=50"
    server.answer = always(refusal(422, message))
    with pytest.raises(PointRefused) as caught:
        store.write(readings(50))
    assert len(caught.value.refused) == 50
    assert len(server.requests) == 1


def test_a_body_too_large_is_divided(server, store):
    """A proxy that takes small bodies only gets smaller ones, and nothing is refused."""
    server.accepted = []

    def answer(_, body):
        if len(body) > 300:
            return refusal(413, "too large")
        server.accepted.append(body)
        return 204, {}, b""

    server.answer = answer
    store.write(readings(40))
    assert stored(server) == [1000 + n for n in range(40)]


def test_an_outage_amid_halving_is_an_outage(server, store):
    """If the server goes away while a poison point is looked for, nothing is called refused."""
    server.answer = lambda *_: (503, {}, b"") if len(server.requests) > 3 else refusal(400, "bad line")
    with pytest.raises(StoreUnavailable):
        store.write(readings(32))


@pytest.mark.parametrize(
    "answer",
    [
        (503, {}, b""),
        (400, {}, b'{"code":"invalid","message":"compilation failed"}'),
        (401, {}, b""),
        (200, {"Content-Type": "text/html"}, b"<html><body>please sign in</body></html>"),
        (200, {"Content-Type": "text/csv"}, CSV.replace("4.5", "warm").encode()),
        (200, {"Content-Type": "text/csv"}, b"\xff\xfe\x00"),
        (200, {"Content-Type": "text/csv"}, b"error,reference\r\nengine is closed,897\r\n"),
        (None, {}, b"garbage\r\n\r\n"),
    ],
)
def test_a_query_without_an_answer(server, store, answer):
    """Errors and garbage in place of rows are never mistaken for "no points"."""
    server.answer = always(answer)
    for ask in (lambda: store.query(SERIES, 0, 10), store.latest, store.series):
        with pytest.raises(StoreUnavailable):
            ask()


def test_a_proper_answer_is_read(server, store):
    """The rows of the stand-in are read when they are as InfluxDB sends them."""
    server.answer = always((200, {"Content-Type": "text/csv"}, CSV.encode()))
    assert [point.value for point in store.query(SERIES, 0, 2**41)] == [4.5]


def test_rows_without_a_time_are_no_points(server, store):
    """A table that lacks what was asked for is said so, not read as an empty history."""
    server.answer = always((200, {"Content-Type": "text/csv"}, CSV.replace("_time", "_when").encode()))
    with pytest.raises(StoreUnavailable, match="without time or value"):
        store.query(SERIES, 0, 2**41)


def test_a_missing_bucket_that_may_not_be_made(server, store):
    """Where the token may not make the bucket, writing waits and says so."""
    missing = {"code": "not found", "message": 'bucket "校园 1" not found'}

    def answer(path, _):
        if path.startswith("/api/v2/write"):
            return 404, {"Content-Type": "application/json"}, json.dumps(missing).encode()
        return 403, {"Content-Type": "application/json"}, b'{"code":"forbidden","message":"no"}'

    server.answer = answer
    with pytest.raises(StoreUnavailable, match="403"):
        store.write(readings(3))


def test_nobody_listens():
    """A refused connection is unavailable, for every method."""
    store = open_store(f"influxdb2://{TOKEN}@127.0.0.1:9/school/campus", None)
    calls = (
        lambda: store.write(readings(1)),
        lambda: store.query(SERIES, 0, 10),
        lambda: store.delete_before(10),
        store.latest,
        store.series,
        store.ensure_bucket,
    )
    for call in calls:
        with pytest.raises(StoreUnavailable) as caught:
            call()
        assert TOKEN not in str(caught.value)
    store.close()


@pytest.mark.parametrize(
    ("url", "environment", "wanted"),
    [
        ("influxdb2://t@h:8086/o/b", {}, ("http://h:8086", "t", "o", "b")),
        ("influxdb2s://t%3D%3D@h/o/b/", {}, ("https://h", "t==", "o", "b")),
        ("influxdb2://h:1/%E5%AD%A6%E6%A0%A1/a%2Fb", {"SHOUYUAN_INFLUX_TOKEN": "e"}, ("http://h:1", "e", "学校", "a/b")),
        ("influxdb2://@h:1/o/b", {"SHOUYUAN_INFLUX_TOKEN": "e"}, ("http://h:1", "e", "o", "b")),
        ("influxdb2://t@h:1/o/b", {"SHOUYUAN_INFLUX_TOKEN": "e"}, ("http://h:1", "t", "o", "b")),
        ("influxdb2://h:1/o/b", {}, ("http://h:1", "", "o", "b")),
    ],
)  # fmt: skip
def test_urls(url, environment, wanted):
    """Each part is percent-decoded; a token in the URL beats the environment's; the token is not in the repr."""
    address = parse_url(url, environment)
    assert (address.url, address.token, address.org, address.bucket) == wanted
    assert "t==" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        f"influxdb2://{TOKEN}@h:1/only-org",
        f"influxdb2://{TOKEN}@/o/b",
        f"influxdb3://{TOKEN}@h/o/b",
        f"influxdb2://{TOKEN}@x@h/o/b",
        f"influxdb2://{TOKEN}/with-slash@h/o/b",
        "embedded2",
        "",
    ],
)
def test_urls_that_name_no_store(url, tmp_path):
    """A wrong URL is refused with what was found, but not with what may be a token."""
    with pytest.raises(BadStoreUrl) as caught:
        open_store(url, tmp_path)
    assert TOKEN not in str(caught.value)
    assert isinstance(caught.value, StoreError)
