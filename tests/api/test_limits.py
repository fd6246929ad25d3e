"""What a stranger can make the service hold, and that it answers meanwhile."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from tests_support import wait_until

from api.accounts import AccountRole
from api.transport.guarded_route import MOST_BYTES
from api.transport.limits import MOST_HEADER_BYTES, MOST_PATH_BYTES, MOST_QUERY_BYTES

#: /health/live answers in a second on the machine it is made for; a loaded one gets five
ALIVE_S = 5.0


def alive(school):
    began = time.monotonic()
    assert httpx2.get(f"{school.url}/health/live", timeout=30).status_code == 200
    return time.monotonic() - began


def resident_bytes():
    with Path("/proc/self/statm").open(encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


def zeros(count, size=1 << 16):
    for _ in range(count):
        yield bytes(size)


@pytest.mark.parametrize(
    "path", ["/api/replay", "/api/register/x", "/parts/alerts/1/acknowledge", "/calendar"]
)
def test_a_strangers_body_is_not_read(school, path):
    """Whoever is not signed in is told so, however much is sent, and nothing of it is kept."""
    before = resident_bytes()
    method = "PUT" if "register" in path else "POST"
    answer = httpx2.request(
        method,
        school.url + path,
        content=zeros(1500),
        headers={"content-type": "application/json"},
        timeout=60,
    )
    assert answer.status_code == 401
    assert resident_bytes() - before < 50e6
    assert alive(school) < ALIVE_S


def test_the_role_comes_before_the_body(school):
    """A viewer hears that the role does not reach, not what is wrong with a body that was none."""
    token = school.runtime.accounts.make_token("viewer", AccountRole.VIEWER, 1)
    answer = httpx2.post(
        f"{school.url}/api/replay", content=b"{", headers={"authorization": f"Bearer {token}"}, timeout=30
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("stated", [True, False])
def test_a_body_has_a_length_that_is_enough(school, stated):
    """More than there is use for is refused in words, also from an administrator, and whether its length is said or not."""
    content = bytes(MOST_BYTES + 1) if stated else zeros(MOST_BYTES // 65536 + 1)
    answer = school.http.put("/api/register/x", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert f"at most {MOST_BYTES} bytes" in answer.json()["error"]


def test_the_sign_in_form_is_short(school):
    """The one body that a stranger may send is as long as a form with a name and a password."""
    answer = httpx2.post(
        f"{school.url}/sign-in",
        data={"name": "x" * 20_000, "password": "y"},
        headers={"origin": school.url},
        timeout=30,
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("path", "headers", "status", "words"),
    [
        ("/" + "x" * MOST_PATH_BYTES, {}, 414, "the path is"),
        ("/api/alerts?rule=" + "x" * MOST_QUERY_BYTES, {}, 414, "the query is"),
        ("/", {"x-more": "x" * MOST_HEADER_BYTES}, 431, "the header is"),
    ],
)
def test_a_head_is_as_long_as_it_needs_to_be(school, path, headers, status, words):
    """Names, queries and headers beyond all use are refused in words."""
    answer = school.http.get(path, headers=headers)
    assert (answer.status_code, words in answer.json()["error"]) == (status, True)


def test_half_sent_requests_leave_the_page_alive(school):
    """Hundreds of requests that are never finished take their own connections only."""
    address = urlsplit(school.url)
    with contextlib.ExitStack() as stack:
        for _ in range(600):
            client = stack.enter_context(
                socket.create_connection((address.hostname, address.port), timeout=30)
            )
            client.sendall(b"POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
        assert alive(school) < ALIVE_S
        assert school.http.get("/api/devices").status_code == 200
        assert len(school.server.server_state.connections) <= 256


def test_feeds_are_counted(school):
    """One account has so many live pages, and then hears that it has; others go on, and an ended one makes room."""
    accounts = school.runtime.accounts
    one, other = (
        {"authorization": f"Bearer {accounts.make_token(name, AccountRole.VIEWER, 1)}"}
        for name in ("one", "other")
    )
    with contextlib.ExitStack() as stack, httpx2.Client(base_url=school.url, timeout=30) as client:

        def feed(headers):
            return stack.enter_context(client.stream("GET", "/api/live", headers=headers))

        first = feed(one)
        assert all(feed(one).status_code == 200 for _ in range(19))
        refused = feed(one)
        assert refused.status_code == 429
        assert "20 live pages" in refused.read().decode()
        assert feed(other).status_code == 200
        assert alive(school) < ALIVE_S
        first.close()
        wait_until(lambda: feed(one).status_code == 200, 30)
