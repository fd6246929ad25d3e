"""One trial: a broker, a store, a database, a load; the service killed again and again; the balance in the end."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.outage import servers
from bench.outage.balance import Balance, count, positions, unsettled
from bench.outage.provider import Provider

#: WeCom's bot takes 20 messages a minute, and each fridge makes two
_FRIDGES = (6, 60)
#: a service is killed so long after it was started, from the middle of its start to full work
_LIFE_S = (0.1, 3.0)
#: every so many kills a server beside the service is killed, too, and stays away so long
_SERVER_EVERY = 10
_AWAY_S = (0.5, 4.0)
#: the end has come when nothing has moved for so long
_STANDSTILL_S = 90.0


class Plan(NamedTuple):
    """*rate* 0 is overload; *kills* of the service, for *seconds* at the most where that is given."""

    broker: str
    store: str
    database: str
    rate: float
    kills: int
    seconds: float
    influxd: str
    seed: int

    @property
    def fridges(self) -> int:
        """Fridges that fail and recover while the kills last."""
        least, most = _FRIDGES
        return max(least, min(most, self.kills // 4))

    @property
    def load(self) -> str:
        return f"{self.rate:.0f}/s" if self.rate else "overload"


class Result(NamedTuple):
    sent: int
    kills: int
    server_kills: int
    seconds: float
    balance: Balance


def run(plan: Plan, folder: Path) -> Result:
    """Runs *plan* in *folder*."""
    data = folder / "data"
    data.mkdir(parents=True)
    provider = Provider()
    broker = servers.broker(plan.broker, folder / "broker")
    beside: list[servers.Server] = []
    store, database = "embedded", ""
    if plan.store == "victoriametrics":
        server, store = servers.victoriametrics(folder / "store")
        beside.append(server)
    elif plan.store == "influxdb":
        server, store = servers.influxdb(folder / "store", plan.influxd)
        beside.append(server)
    if plan.database == "postgresql":
        server, database = servers.postgresql(folder / "database")
        beside.append(server)
    settings = folder / "settings.json"
    common = {"data": str(data), "broker": f"mqtt://127.0.0.1:{broker.port}", "provider": provider.url}
    settings.write_text(json.dumps(common | {"store": store, "database": database, "fridges": plan.fridges}))
    service = servers.Service(settings)
    publisher: subprocess.Popen[bytes] | None = None
    began = time.monotonic()
    try:
        journal = data / "journal.db"
        _until(lambda: positions(journal)[1] > 0, "the service did not come up")
        time.sleep(2)  # its subscription: what is published before is nobody's
        ledger = folder / "ledger.json"
        arguments = [str(broker.port), str(plan.rate), str(plan.fridges), str(journal), str(ledger)]
        publisher = subprocess.Popen([sys.executable, "-m", "bench.outage.publisher", *arguments])
        kills, server_kills = _kill(plan, service, beside)
        publisher.send_signal(signal.SIGTERM)
        publisher.wait()
        sent = json.loads(ledger.read_text(encoding="utf-8"))
        _drain(journal, sent["sent"], lambda: unsettled(database, data), service)
        service.end(signal.SIGTERM)
        balance = count(sent["freezers"], plan.fridges, data, store, database, provider)
        return Result(sent["sent"], kills, server_kills, time.monotonic() - began, balance)
    finally:
        if publisher is not None:
            publisher.kill()
        service.close()
        for server in beside:
            server.kill()
        broker.stop()
        provider.close()


def _kill(plan: Plan, service: servers.Service, beside: list[servers.Server]) -> tuple[int, int]:
    """Kills the service, and now and then a server beside it; how often each."""
    generator = random.Random(plan.seed)
    began, kills, server_kills = time.monotonic(), 0, 0
    while kills < plan.kills and (not plan.seconds or time.monotonic() - began < plan.seconds):
        time.sleep(generator.uniform(*_LIFE_S))
        if beside and kills % _SERVER_EVERY == _SERVER_EVERY - 1:
            server = beside[server_kills % len(beside)]
            server.kill()
            server_kills += 1
            time.sleep(generator.uniform(*_AWAY_S))
            server.start()
            time.sleep(generator.uniform(*_LIFE_S))
        service.end(signal.SIGKILL)
        kills += 1
        service.start()
    return kills, server_kills


def _drain(journal: Path, sent: int, unsettled: Callable[[], int], service: servers.Service) -> None:
    """Waits until all is journaled, stored and told, or nothing moves any more: then the balance shows what is missing."""
    before, moved = None, time.monotonic()
    while True:
        service.keep_up()
        journaled, last, stored = positions(journal)
        rest = (max(0, sent - journaled), max(0, last - stored - 5), 0 if journaled < sent else unsettled())
        if not any(rest):
            return
        if rest != before:
            before, moved = rest, time.monotonic()
        if time.monotonic() - moved > _STANDSTILL_S:
            print(
                f"nothing moves any more: {rest[0]} not journaled, {rest[1]} batches not stored, {rest[2]} not told"
            )
            return
        time.sleep(0.5)


def _until(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _STANDSTILL_S
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(otherwise)
        time.sleep(0.05)
