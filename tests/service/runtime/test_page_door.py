"""Where the page listens, and to whom."""

from __future__ import annotations

import contextlib
import socket
import threading

import httpx2
import pytest
import uvicorn
from certificates import Authority
from starlette.requests import Request
from starlette.responses import JSONResponse
from tests_support import wait_until

from service.cli.up import _settings
from service.errors import CertificateUnusable, PageExposed, PortTaken, ProxyUnknown
from service.runtime.page_door import PageDoor
from service.settings import ServiceSettings


def door(**said):
    return PageDoor(ServiceSettings(**({"port": 0} | said)))


@pytest.fixture
def certificate(tmp_path):
    return Authority(tmp_path).certificate("page")


async def told(scope, receive, send):
    """Says who asks, as the application sees it."""
    request = Request(scope)
    await JSONResponse({"client": request.client.host, "scheme": request.url.scheme})(scope, receive, send)


@contextlib.contextmanager
def served(opened):
    server = uvicorn.Server(uvicorn.Config(told, **opened.options()))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened.socket]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 30)
    yield
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "school.example"])  # noqa: S104 - refused
def test_the_network_is_listened_to_with_encryption_only(host):
    """Beyond loopback passwords would go in clear; the refusal names every remedy."""
    with pytest.raises(PageExposed, match=r"(?s)--host.*--behind-proxy.*--tls-cert"):
        door(host=host)


def test_a_proxy_or_a_certificate_opens_it(certificate):
    """With either, every address may be listened on; loopback needs none."""
    cert, key = certificate
    for said in (
        {"host": "127.0.0.1"},
        {"host": "localhost"},
        {"host": "0.0.0.0", "behind_proxy": "10.0.0.2, 192.168.1.0/28"},  # noqa: S104 - that is the question
        {"host": "0.0.0.0", "tls_cert": cert, "tls_key": key},  # noqa: S104 - that is the question
    ):
        door(**said).close()


def test_what_is_no_address_or_certificate_is_named(certificate, tmp_path):
    """A proxy that is none, a certificate without its key, and a file that is none are refused by name."""
    cert, key = certificate
    with pytest.raises(ProxyUnknown, match=r"caddy\.local"):
        door(behind_proxy="caddy.local")
    with pytest.raises(CertificateUnusable, match="both"):
        door(tls_cert=cert)
    with pytest.raises(CertificateUnusable, match=r"missing\.pem"):
        door(tls_cert=tmp_path / "missing.pem", tls_key=key)
    with pytest.raises(CertificateUnusable):
        door(tls_cert=key, tls_key=cert)


def test_a_page_with_a_certificate_speaks_https(certificate, tmp_path):
    """The page answers with its certificate, and the application knows that it is HTTPS."""
    import ssl

    cert, key = certificate
    opened = door(tls_cert=cert, tls_key=key)
    assert opened.url.startswith("https://127.0.0.1:")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "test-ca.pem"))
    with served(opened):
        assert httpx2.get(opened.url, verify=trusting, timeout=30).json()["scheme"] == "https"


@pytest.mark.parametrize(
    ("proxies", "client", "scheme"),
    [("", "127.0.0.1", "http"), ("10.0.0.2", "127.0.0.1", "http"), ("127.0.0.1", "203.0.113.7", "https")],
)
def test_only_the_proxy_speaks_for_others(proxies, client, scheme):
    """X-Forwarded-For and -Proto are believed from the proxy that was named, and not from loopback as such."""
    opened = door(behind_proxy=proxies)
    with served(opened):
        headers = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
        answer = httpx2.get(opened.url, headers=headers, timeout=30).json()
    assert answer == {"client": client, "scheme": scheme}


def test_nobody_comes_past_the_proxy():
    """Behind a proxy another machine is refused; this one may still look."""
    from api.transport.server import server_options

    kind = server_options(proxies=["10.0.0.0/30"])["http"]

    class Transport:
        def __init__(self, host):
            self.host = host

        def get_extra_info(self, _name):
            return (self.host, 1)

    for host, may in (
        ("10.0.0.2", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("10.0.0.4", False),
        ("fe80::1%eth0", False),
    ):
        assert kind._may_connect(kind.__new__(kind), Transport(host)) is may, host


def test_a_port_that_was_asked_for_is_that_port(monkeypatch):
    """A taken port is an error where it was given, by option or environment; the default moves, and that is known."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{port}"):
            door(port=port)
        monkeypatch.setenv("SHOUYUAN_PORT", str(port))
        with pytest.raises(PortTaken):
            PageDoor(_settings({}, demo=False))
        monkeypatch.delenv("SHOUYUAN_PORT")
        moved = ServiceSettings.model_construct(port=port, _fields_set=set())
        opened = PageDoor(moved)
        assert opened.moved
        assert opened.socket.getsockname()[1] != port
        opened.close()


def test_the_demonstration_keeps_its_data_where_it_is_told(monkeypatch, tmp_path):
    """An option goes before the environment, and that before the demonstration's own folder."""
    monkeypatch.delenv("SHOUYUAN_DATA", raising=False)
    assert str(_settings({}, demo=True).data) == "data/demo"
    monkeypatch.setenv("SHOUYUAN_DATA", str(tmp_path))
    assert _settings({}, demo=True).data == tmp_path
    assert _settings({"data": tmp_path / "x"}, demo=True).data == tmp_path / "x"
