"""What ``shouyuan doctor`` looks at: the folder, the data's place, each broker, the store, each provider, the clock."""

from __future__ import annotations

import datetime as dt
import email.utils
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import msgspec

from campus.campus import Campus
from campus.clock import MINUTE_MS, to_ms
from campus.text import marked as _
from ingest.decoding.registry import Registry
from ingest.mqtt.diagnosis import diagnose
from service.broker.listening import reached_at
from service.broker.outside import outside_address
from service.broker.program import find_broker
from service.errors import BrokerUnavailable
from store.errors import StoreError
from store.timeseries.opening import open_store

_ENOUGH_BYTES = 1024**3
_CLOCK_OFF_MS = 2 * MINUTE_MS
_TIMEOUT_S = 8.0


class Check(msgspec.Struct, frozen=True):
    """One thing looked at; *text* is for the catalogue, *values* fill its placeholders."""

    name: str
    good: bool
    text: str
    values: dict[str, str | int | float] = {}


def _well(name: str, text: str, values: dict[str, str | int | float] | None = None) -> Check:
    return Check(name, good=True, text=text, values=values or {})


def _ill(name: str, text: str, values: dict[str, str | int | float] | None = None) -> Check:
    return Check(name, good=False, text=text, values=values or {})


def examine(campus: Campus, data: Path, *, now_ms: Callable[[], int]) -> Iterator[Check]:
    """Looks at everything *campus* needs, one check after the other."""
    yield _data(data)
    yield from _brokers(campus)
    yield _store(campus, data)
    yield from _providers(campus, now_ms)


def _data(data: Path) -> Check:
    where: dict[str, str | int | float] = {"folder": str(data)}
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=data):
            free_bytes = shutil.disk_usage(data).free
    except OSError as error:
        return _ill(
            "data",
            _("数据文件夹 {folder} 写不了:{reason}。"),
            where | {"reason": error.strerror or ""},
        )
    where |= {"free_gb": free_bytes / 1024**3}
    if free_bytes < _ENOUGH_BYTES:
        return _ill("data", _("数据文件夹 {folder} 所在磁盘只剩 {free_gb:.1f} GB,至少要 1 GB。"), where)
    return _well("data", _("数据文件夹 {folder} 可写,剩余 {free_gb:.0f} GB。"), where)


def _brokers(campus: Campus) -> Iterator[Check]:
    registry = Registry(campus.site)
    for name, settings in campus.site.all_brokers.items():
        label = f"broker {name}".strip()
        if settings.embedded and not _is_open(settings.listen):
            yield _embedded(label, settings.listen)
            continue
        outside, topics = settings, registry.topics(name)
        if settings.embedded:  # it runs: look at it as a device does, which may not hear what we hear
            host, port = _own_address(settings.listen)
            tls = bool(settings.listen_tls_cert_file)
            url = f"{'mqtts' if tls else 'mqtt'}://{host}:{port}"
            ca_file = settings.ca_file or settings.listen_tls_cert_file
            outside = settings.model_copy(update={"url": url, "ca_file": ca_file})
            topics = []
        address = outside_address(outside, campus.site.id, name)
        for one in diagnose(address, topics, timeout_s=_TIMEOUT_S):
            yield Check(f"{label} {one.step}", one.good, one.text, dict(one.values))


def _is_open(listen: str) -> bool:
    host, port = _own_address(listen)
    with socket.socket() as probe:
        probe.settimeout(2)
        return port > 0 and probe.connect_ex((host, port)) == 0


def _own_address(listen: str) -> tuple[str, int]:
    """The host and port at which we ourselves reach the embedded broker."""
    host, _sep, port = listen.rpartition(":")
    return reached_at(host), int(port)


def _embedded(label: str, listen: str) -> Check:
    try:
        program = find_broker()
    except BrokerUnavailable:
        text = _("自带的 MQTT 服务器找不到:mosquitto 和 nats-server 都没有安装。")
        return _ill(label, text)
    text = _("自带的 MQTT 服务器({program})会在 {listen} 上启动,现在没有运行。")
    return _well(label, text, {"program": Path(program).name, "listen": listen})


def _store(campus: Campus, data: Path) -> Check:
    if campus.site.store == "embedded":
        return _well("store", _("历史数据存在本机。"))
    try:
        store = open_store(campus.site.store, data)
        try:
            count = len(store.latest())
        finally:
            store.close()
    except StoreError as error:
        return _ill("store", _("历史数据库用不了:{reason}。"), {"reason": str(error)})
    return _well("store", _("历史数据库可用,里面有 {count} 个测点。"), {"count": count})


def _providers(campus: Campus, now_ms: Callable[[], int]) -> Iterator[Check]:
    """Asks each provider's host for anything at all: nothing is sent to anybody. Its clock is compared with ours."""
    urls = {
        name: str(url) for name, one in campus.site.channels.items() if (url := getattr(one, "base_url", ""))
    }
    off_ms: int | None = None
    for name, url in urls.items():
        label, host = f"channel {name}", str(httpx2.URL(url).host)
        try:
            answer = httpx2.get(url, timeout=_TIMEOUT_S, follow_redirects=False)
        except httpx2.HTTPError as error:
            text = _("连不上 {host}({reason});这个通道现在发不出消息。")
            yield _ill(label, text, {"host": host, "reason": str(error) or type(error).__name__})
            continue
        yield _well(
            label,
            _("{host} 可以连通;用 shouyuan notify test {name} 发一条真的试试。"),
            {"host": host, "name": name},
        )
        theirs_ms = _date_ms(answer.headers.get("date", ""))
        if theirs_ms is not None:
            off_ms = now_ms() - theirs_ms
    if off_ms is not None:
        if abs(off_ms) < _CLOCK_OFF_MS:
            yield _well("clock", _("本机时间准确。"))
        else:
            text = _("本机时间差了 {minutes:.0f} 分钟;短信签名会被拒绝,告警时间也会错,请校准。")
            yield _ill("clock", text, {"minutes": off_ms / MINUTE_MS})


def _date_ms(header: str) -> int | None:
    try:
        moment = email.utils.parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
    return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC))
