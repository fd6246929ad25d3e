"""Why a broker cannot be connected to, step by step and in words: name, port, TLS, account, permission to listen.

A client of its own is used, with a clean session and another name, so that the running service is not pushed out.
"""

from __future__ import annotations

import enum
import os
import queue
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from campus.text import marked as _
from ingest.mqtt.connection import BrokerAddress, tls_context

TIMEOUT_S = 8.0


class Step(enum.StrEnum):
    """What was tried, in this order."""

    NAME = "name"
    PORT = "port"
    TLS = "tls"
    ACCOUNT = "account"
    TOPICS = "topics"


class Finding(msgspec.Struct, frozen=True):
    """One step's result; *text* is for the catalogue, *values* fill its placeholders."""

    step: Step
    good: bool
    text: str
    values: dict[str, str | int] = {}


#: CONNACK reason codes of MQTT 5; paho maps those of 3.1.1 onto them
_REFUSED = {
    132: _("服务器不支持这个 MQTT 版本;在 broker.protocol 里写 3.1.1。"),
    133: _("服务器不接受客户端编号;换一个 broker.client_id。"),
    134: _("用户名或密码不对;检查 broker.username 和 broker.password。"),
    135: _("这个账号没有连接的权限;匿名不被允许时要填 broker.username 和 broker.password。"),
    136: _("服务器暂时不可用,稍后再试。"),
    137: _("服务器正忙,稍后再试。"),
    138: _("这个客户端被服务器封禁了,请在服务器上解除。"),
}


def diagnose(address: BrokerAddress, topics: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> list[Finding]:
    """Tries every step towards *address*; the list ends with the first that fails."""
    found: list[Finding] = []
    for finding in _steps(address, topics, timeout_s):
        found.append(finding)
        if not finding.good:
            break
    return found


def _steps(address: BrokerAddress, topics: Sequence[str], timeout_s: float) -> Iterator[Finding]:
    where: dict[str, str | int] = {"host": address.host, "port": address.port}
    try:
        socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        text = _("找不到名为 {host} 的主机;检查 broker.url 的拼写,或直接写 IP 地址。")
        yield Finding(Step.NAME, good=False, text=text, values=where)
        return
    yield Finding(Step.NAME, good=True, text=_("主机名 {host} 找得到。"), values=where)
    yield _port(address, where, timeout_s)
    if address.tls:
        yield _tls(address, where, timeout_s)
    yield from _session(address, where, topics, timeout_s)


def _port(address: BrokerAddress, where: dict[str, str | int], timeout_s: float) -> Finding:
    try:
        socket.create_connection((address.host, address.port), timeout=timeout_s).close()
    except ConnectionRefusedError:
        text = _("主机 {host} 在,但端口 {port} 上没有程序在听;MQTT 服务器没有启动,或端口写错了。")
    except TimeoutError:
        text = _("{host}:{port} 没有回应;多半是防火墙,或不在同一个网络。")
    except OSError as error:
        text = _("连不上 {host}:{port}:{reason}。")
        where = where | {"reason": error.strerror or str(error)}
    else:
        return Finding(Step.PORT, good=True, text=_("{host}:{port} 可以连通。"), values=where)
    return Finding(Step.PORT, good=False, text=text, values=where)


def _tls(address: BrokerAddress, where: dict[str, str | int], timeout_s: float) -> Finding:
    try:
        context = tls_context(address)
    except OSError as error:
        text = _("证书文件读不了({reason});检查 ca_file、tls_cert_file 和 tls_key_file。")
        return Finding(Step.TLS, good=False, text=text, values=where | {"reason": str(error)})
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=address.host) as secure,
        ):
            version = secure.version() or "TLS"
    except ssl.SSLCertVerificationError as error:
        return Finding(
            Step.TLS, good=False, text=_untrusted(error), values=where | {"reason": error.verify_message}
        )
    except (OSError, ValueError) as error:
        text = _("{host}:{port} 不支持 TLS({reason});用 mqtt://,或改成服务器的 TLS 端口(通常是 8883)。")
        return Finding(Step.TLS, good=False, text=text, values=where | {"reason": str(error)[:100]})
    return Finding(Step.TLS, good=True, text=_("TLS 证书可信({version})。"), values={"version": version})


def _untrusted(error: ssl.SSLCertVerificationError) -> str:
    """X.509 verify codes of OpenSSL: 10 expired, 18/19/20/21 of no authority we know, 62/64 for another name."""
    match error.verify_code:
        case 10:
            return _("服务器的证书已过期({reason});请更换证书,也检查本机时间。")
        case 18 | 19 | 20 | 21:
            return _("服务器的证书不是我们信任的机构签发的({reason});把签发它的 CA 证书填到 broker.ca_file。")
        case 62 | 64:
            return _("服务器的证书不是给 {host} 的({reason});broker.url 里要写证书上的名字。")
        case _:
            return _("服务器的证书不可信:{reason}。")


class _Probe:
    """A client that connects once, asks for the topics, and leaves."""

    def __init__(self, address: BrokerAddress) -> None:
        five = address.protocol != 4
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{address.client_id}-doctor-{os.getpid()}",
            clean_session=None if five else True,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        if address.username:
            self.client.username_pw_set(address.username, address.password)
        if address.tls:
            self.client.tls_set_context(tls_context(address))
        self.client.on_connect = lambda *args: self.answers.put(("connected", args[3]))
        self.client.on_subscribe = lambda *args: self.answers.put(("subscribed", args[3]))
        self.client.on_disconnect = lambda *args: self.answers.put(("closed", args[3]))

    def answer(self, timeout_s: float) -> tuple[str, Any]:
        try:
            return self.answers.get(timeout=timeout_s)
        except queue.Empty:
            return "nothing", None


def _session(
    address: BrokerAddress, where: dict[str, str | int], topics: Sequence[str], timeout_s: float
) -> Iterator[Finding]:
    probe = _Probe(address)
    try:
        probe.client.connect(address.host, address.port, keepalive=30)
        probe.client.loop_start()
        kind, reason = probe.answer(timeout_s)
        if kind == "connected" and address.protocol == 0 and reason.value == 132:
            yield from _session(msgspec.structs.replace(address, protocol=4), where, topics, timeout_s)
            return
        finding = _account(kind, reason, address, where)
        yield finding
        if finding.good and topics:
            yield _topics(probe, topics, timeout_s)
    except OSError as error:
        text = _("{host}:{port} 中断了连接({reason})。")
        yield Finding(Step.ACCOUNT, good=False, text=text, values=where | {"reason": str(error)[:100]})
    finally:
        probe.client.disconnect()
        probe.client.loop_stop()


def _account(
    kind: str, reason: ReasonCode | None, address: BrokerAddress, where: dict[str, str | int]
) -> Finding:
    if kind == "connected" and reason is not None and not reason.is_failure:
        who = address.username or "anonymous"
        return Finding(Step.ACCOUNT, good=True, text=_("账号 {user} 可以登录。"), values={"user": who})
    if kind == "connected" and reason is not None:
        text = _REFUSED.get(reason.value, _("服务器拒绝了连接:{reason}。"))
        return Finding(Step.ACCOUNT, good=False, text=text, values={"reason": str(reason)})
    if kind == "closed" and not address.tls:
        text = _("{host}:{port} 一连上就断开;这个端口可能要求 TLS,试试 mqtts://,也可能不是 MQTT 端口。")
    elif kind == "closed":
        text = _("{host}:{port} 一连上就断开;服务器可能要求客户端证书,填 tls_cert_file 和 tls_key_file。")
    else:
        text = _("{host}:{port} 有程序在听,但不是 MQTT 服务器;多半是端口写错了。")
    return Finding(Step.ACCOUNT, good=False, text=text, values=where)


def _topics(probe: _Probe, topics: Sequence[str], timeout_s: float) -> Finding:
    refused: list[str] = []
    for topic in topics:
        probe.client.subscribe(topic, 1)
        kind, codes = probe.answer(timeout_s)
        if kind != "subscribed" or any(code.is_failure for code in codes):
            refused.append(topic)
    if refused:
        text = _("这个账号没有订阅 {topics} 的权限;请在服务器上放行。")
        return Finding(Step.TOPICS, good=False, text=text, values={"topics": ", ".join(refused)})
    return Finding(
        Step.TOPICS, good=True, text=_("{count} 个主题都可以订阅。"), values={"count": len(topics)}
    )
