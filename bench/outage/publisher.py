"""The publisher, a process of its own: freezers without a time of their own, and fridges that fail and recover once.

Each reading of a freezer has a value that no other of it has: that is its identity. *steady* sends so many a second;
*overload* keeps the service behind by a backlog that never empties, however fast it is. SIGTERM ends it, when every
message has been acknowledged by the broker; then its ledger is written.

    python -m bench.outage.publisher PORT RATE FRIDGES JOURNAL LEDGER     (RATE 0 is overload)
"""

from __future__ import annotations

import datetime as dt
import json
import signal
import sqlite3
import sys
import time
from pathlib import Path

from bench.outage.wire import Wire

FREEZERS = 40
WARM, COLD = 30.0, 4.0
#: overload: so many messages wait at the broker, at the least and at the most
BACKLOG = (10_000, 25_000)
_MOST_UNDER_WAY = 2_000
#: a fridge speaks so often: it recovers so long after it failed
_FRIDGE_EVERY_S = 0.5
_PACE_S = 0.01


def value(number: int) -> float:
    """What a freezer says the *number*-th time."""
    return round(-18 - number / 10_000, 4)


def fridge_address(number: int) -> str:
    return f"24e1240000{number:06x}"


class Publisher:
    def __init__(self, port: int, rate: float, fridges: int, journal: Path) -> None:
        self._wire = Wire(port, "outage-bench")
        self._rate = rate
        self._journal = journal
        self._fridges = [(number, warm) for number in range(fridges) for warm in (True, False)]
        self._freezer_messages = 0
        self._stopping = False
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "_stopping", True))

    def run(self) -> dict[str, int]:
        """Publishes until told to stop; what was sent."""
        began = time.monotonic()
        next_fridge_s = _FRIDGE_EVERY_S
        while not self._stopping or self._fridges:
            elapsed_s = time.monotonic() - began
            due = self._due(elapsed_s)
            for _ in range(due):
                self._freezer()
            if self._fridges and elapsed_s >= next_fridge_s:
                self._fridge()
                next_fridge_s = elapsed_s + _FRIDGE_EVERY_S
            self._wire.take_acknowledgements(_PACE_S)
            time.sleep(0 if due else _PACE_S)
        while self._wire.under_way:
            self._wire.take_acknowledgements(1.0)
        self._wire.close()
        return {
            "freezers": self._freezer_messages,
            "sent": self._wire.sent,
            "acknowledged": self._wire.acknowledged,
        }

    def _due(self, elapsed_s: float) -> int:
        """How many messages are due now."""
        room = _MOST_UNDER_WAY - len(self._wire.under_way)
        if self._rate:
            return max(0, min(room, round(elapsed_s * self._rate) - self._freezer_messages))
        behind = self._wire.acknowledged - _taken(self._journal)
        return max(0, min(room, BACKLOG[1] - behind))

    def _freezer(self) -> None:
        number, freezer = divmod(self._freezer_messages, FREEZERS)
        self._wire.publish(
            f"zigbee2mqtt/Freezer{freezer}", json.dumps({"temperature": value(number)}).encode()
        )
        self._freezer_messages += 1

    def _fridge(self) -> None:
        number, warm = self._fridges.pop(0)
        address = fridge_address(number)
        body = {
            "deviceInfo": {"devEui": address},
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "object": {"temperature": WARM if warm else COLD},
        }
        self._wire.publish(f"application/1/device/{address}/event/up", json.dumps(body).encode())


def _taken(journal: Path) -> int:
    """Messages the service has accounted for, read straight from its journal."""
    try:
        with sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=5) as connection:
            row = connection.execute(
                "SELECT journaled + quarantined + ignored + limited FROM counts"
            ).fetchone()
            return int(row[0])
    except sqlite3.OperationalError:  # not made yet
        return 0


def main() -> None:
    port, rate, fridges, journal, ledger = sys.argv[1:]
    publisher = Publisher(int(port), float(rate), int(fridges), Path(journal))
    Path(ledger).write_text(json.dumps(publisher.run()), encoding="utf-8")


if __name__ == "__main__":
    main()
