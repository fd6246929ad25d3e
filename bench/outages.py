"""The service killed again and again, the servers beside it, too: what is lost, what is doubled, counted independently.

A publisher of its own sends at QoS 1; a stand-in of a provider counts messages; journal, store and operations database
are read by themselves. At a steady rate, and under overload, where the broker always holds a backlog. Exits with 1 where
anything was lost or doubled.

A quick look is the default. The long run: ``python bench/outages.py --kills 300 --broker mosquitto nats-server --store
embedded victoriametrics --database sqlite postgresql``.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))

from bench.outage.trial import Plan, Result, run  # noqa: E402 - this folder is no package on the path before
from service.logs import configure_logs  # noqa: E402 - as above

_RATE = 300.0
_HEAD = (
    "broker", "store", "database", "load", "sent", "kills", "of servers", "s", "lost", "doubled", "alerts lost", "doubled",
    "messages lost", "unsent", "told again",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=5, help="of the service, in each trial")
    parser.add_argument("--seconds", type=float, default=0, help="no more kills after so long; 0 is no limit")
    parser.add_argument("--broker", nargs="+", default=["mosquitto"], choices=["mosquitto", "nats-server"])
    parser.add_argument(
        "--store", nargs="+", default=["embedded"], choices=["embedded", "victoriametrics", "influxdb"]
    )
    parser.add_argument("--database", nargs="+", default=["sqlite"], choices=["sqlite", "postgresql"])
    parser.add_argument("--load", nargs="+", default=["steady", "overload"], choices=["steady", "overload"])
    parser.add_argument("--rate", type=float, default=_RATE, help="readings a second at a steady load")
    parser.add_argument("--influxd", default="influxd", help="InfluxDB 2's program, which no registry has")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder where what is left of each trial stays")
    chosen = parser.parse_args()
    configure_logs(level="error", as_json=False)
    os.chdir(ROOT)
    print(" | ".join(_HEAD), flush=True)
    even = True
    for parts in itertools.product(chosen.broker, chosen.store, chosen.database, chosen.load):
        broker, store, database, load = parts
        rate = chosen.rate if load == "steady" else 0.0
        plan = Plan(broker, store, database, rate, chosen.kills, chosen.seconds, chosen.influxd, chosen.seed)
        folder = Path(tempfile.mkdtemp(prefix="outages-", dir=chosen.keep))
        folder.chmod(0o711)  # PostgreSQL's user passes through it
        try:
            result = run(plan, folder)
        finally:
            if chosen.keep is None:
                shutil.rmtree(folder, ignore_errors=True)
        print(" | ".join(_row(plan, result)), flush=True)
        even &= result.balance.even
    sys.exit(0 if even else 1)


def _row(plan: Plan, result: Result) -> list[str]:
    figures = (result.sent, result.kills, result.server_kills, result.seconds, *result.balance)
    return [plan.broker, plan.store, plan.database, plan.load, *(f"{figure:,.0f}" for figure in figures)]


if __name__ == "__main__":
    main()
