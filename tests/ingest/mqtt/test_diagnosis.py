"""What is wrong with a broker is said in words: on real brokers, and on ports that are none."""

from __future__ import annotations

import shutil
import socket
import threading

import pytest
from certificates import Authority
from tests_support import PATIENCE_S, wait_until

from campus.text import translator
from ingest.mqtt.connection import BrokerAddress, Connection
from ingest.mqtt.diagnosis import Step, diagnose
from service.broker.embedded import EmbeddedBroker
from service.errors import BrokerUnavailable

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
needs_mosquitto = pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed (Debian package mosquitto)"
)


def said(address, topics=("a/#",), timeout_s=2.0):
    """Every step taken, whether the last was good, and its words."""
    found = diagnose(address, topics, timeout_s=timeout_s)
    for language in ("zh_CN", "en"):
        for one in found:
            assert translator(language)(one.text).format(**one.values)
    return [one.step for one in found], found[-1].good, found[-1].text.format(**found[-1].values)


@pytest.fixture
def start(tmp_path):
    started = []

    def start_it(program, **options):
        broker = EmbeddedBroker(tmp_path / f"broker{len(started)}", program=program, **options)
        broker.start()
        started.append(broker)
        return broker

    yield start_it
    for broker in started:
        broker.stop()


@pytest.fixture
def listening():
    """A server that does with each connection what it is told to."""
    servers = []

    def listen(handle):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                handle(connection)

        threading.Thread(target=serve, daemon=True).start()
        return server.getsockname()[1]

    yield listen
    for server in servers:
        server.close()


def test_a_good_broker(start, broker_program):
    """Every step is good, on brokers of both versions; the right number of topics is named."""
    broker = start(broker_program)
    steps, good, text = said(BrokerAddress("127.0.0.1", broker.port, "c"), ("a/#", "b/+"))
    assert (steps, good) == ([Step.NAME, Step.PORT, Step.ACCOUNT, Step.TOPICS], True)
    assert "2 个主题" in text


def test_accounts(start, broker_program):
    """A missing and a wrong password are told apart from a right one."""
    broker = start(broker_program, credentials=("school", "right"))
    for username, password in (("", ""), ("school", "wrong")):
        steps, good, text = said(BrokerAddress("127.0.0.1", broker.port, "c", username, password))
        assert (steps[-1], good) == (Step.ACCOUNT, False)
        assert "broker.username" in text
    assert said(BrokerAddress("127.0.0.1", broker.port, "c", "school", "right"))[1]


def test_nobody_there(listening):
    """An unknown name, a closed port, a port that hangs up, and one that says nothing."""
    assert "找不到" in said(BrokerAddress("no-such-host.invalid", 1883, "c"))[2]
    assert "没有程序在听" in said(BrokerAddress("127.0.0.1", 9, "c"))[2]
    assert "一连上就断开" in said(BrokerAddress("127.0.0.1", listening(lambda one: one.close()), "c"))[2]
    silent = []
    assert (
        "不是 MQTT 服务器"
        in said(BrokerAddress("127.0.0.1", listening(silent.append), "c"), timeout_s=0.3)[2]
    )


@needs_mosquitto
def test_certificates(start, tmp_path):
    """With the right authority TLS is good; without it, for another name, and for an old one the reason is said."""
    authority = Authority(tmp_path)
    broker = start(MOSQUITTO, certificate=authority.certificate("broker"))

    def with_ca(**more):
        return BrokerAddress("127.0.0.1", broker.port, "c", tls=True, **{"ca_file": authority.file} | more)

    steps, good, _ = said(with_ca())
    assert (steps[2], good) == (Step.TLS, True)
    assert "broker.ca_file" in said(with_ca(ca_file=""))[2]
    assert "broker.ca_file" in said(with_ca(ca_file=Authority(tmp_path, "other-ca").file))[2]
    assert "读不了" in said(with_ca(ca_file=str(tmp_path / "missing.pem")))[2]
    assert "不支持 TLS" in said(BrokerAddress("127.0.0.1", broker.own_port, "c", tls=True))[2]
    assert "要求 TLS" in said(BrokerAddress("127.0.0.1", broker.port, "c"))[2]
    old = start(MOSQUITTO, certificate=authority.certificate("old", days=-1))
    expired = BrokerAddress("127.0.0.1", old.port, "c", tls=True, ca_file=authority.file)
    assert "过期" in said(expired)[2]


@needs_mosquitto
def test_a_connection_over_tls(start, tmp_path):
    """Devices and we ourselves may come in by TLS; on the loopback door beside it no TLS is needed."""
    authority = Authority(tmp_path)
    broker = start(MOSQUITTO, certificate=authority.certificate("broker"))
    got = []
    secure = Connection(
        BrokerAddress("127.0.0.1", broker.port, "secure", tls=True, ca_file=authority.file),
        ["a/#"],
        lambda burst: got.extend(burst.messages),
        now_ms=lambda: 1,
    )
    secure.start()
    wait_until(lambda: secure.listening)
    plain = Connection(BrokerAddress("127.0.0.1", broker.own_port, "plain"), [], print, now_ms=lambda: 1)
    plain.start()
    wait_until(lambda: plain.connected)
    plain._client.publish("a/b", b"x" * 300_000, qos=1).wait_for_publish(PATIENCE_S)
    wait_until(lambda: got)
    assert len(got[0].payload) == 300_000
    secure.stop()
    plain.stop()


@needs_mosquitto
def test_client_certificates(start, tmp_path):
    """Where the broker asks for our certificate, it is shown; without one the doctor says what is missing."""
    authority = Authority(tmp_path)
    broker = start(MOSQUITTO, certificate=authority.certificate("broker"))
    broker.stop()
    config = tmp_path / "broker0" / "mosquitto.conf"
    trusted = config.with_name("ca.pem")  # started by root, mosquitto reads it as somebody else
    shutil.copy(authority.file, trusted)
    trusted.chmod(0o644)
    config.write_text(
        config.read_text().replace("\nkeyfile", "\ncafile ca.pem\nrequire_certificate true\nkeyfile", 1)
    )
    strict = _Restarted(config)
    strict.wait(broker.own_port)
    cert_file, key_file = authority.certificate("shouyuan")
    address = BrokerAddress("127.0.0.1", broker.port, "c", tls=True, ca_file=authority.file)
    assert "tls_cert_file" in said(address)[2]
    ours = BrokerAddress(
        "127.0.0.1",
        broker.port,
        "c",
        tls=True,
        ca_file=authority.file,
        cert_file=cert_file,
        key_file=key_file,
    )
    assert said(ours)[1]
    strict.stop()


class _Restarted:
    """mosquitto with a configuration of the test's own."""

    def __init__(self, config):
        import subprocess

        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(config)], cwd=config.parent, stderr=subprocess.DEVNULL
        )

    def wait(self, port):
        def open_() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(open_)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)


def test_a_taken_port_is_said(tmp_path, listening, broker_program):
    """The embedded broker names a port that another program has, and where to change it."""
    port = listening(lambda one: one.close())
    with pytest.raises(BrokerUnavailable, match=rf"127.0.0.1:{port}.*broker.listen"):
        EmbeddedBroker(tmp_path / "b", program=broker_program, port=port).start()
