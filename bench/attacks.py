"""What strangers may try, one attack after the other on one service: its memory, and how soon it says that it lives.

Goals: below 300 MB, and /health/live within 1 s throughout. Exits with 1 where one is missed. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))

from bench.attack import mqtt, page  # noqa: E402 - this folder is no package on the path before
from bench.attack.service import Service, Watch  # noqa: E402 - as above

_MOST_MB, _LONGEST_S = 300, 1.0
_ATTACKS: dict[str, Callable[[Service], str]] = {
    "body of 200 MB": page.body, "half-sent requests": page.half_sent, "names of 15 KB": page.names,
    "wrong passwords": page.passwords, "event streams": page.streams, "ambiguous words": mqtt.words,
    "topics of 60 KB": mqtt.topics, "messages of 1 MB": mqtt.large, "junk of 64 KiB": mqtt.junk,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="attacks whose name holds this")
    chosen = parser.parse_args()
    missed = 0
    print(
        f"{'attack':<22}{'memory, peak':>14}{'live, longest':>15}{'middle':>10}{'refused':>9}  answers",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        service = Service(Path(folder))
        try:
            for name, attack in _ATTACKS.items():
                if chosen.only in name:
                    with Watch(service) as watch:
                        answers = attack(service)
                    seen = watch.seen
                    good = seen.peak_mb < _MOST_MB and seen.longest_s < _LONGEST_S and not seen.refused
                    missed += not good
                    print(
                        f"{name:<22}{seen.peak_mb:>11.0f} MB{seen.longest_s:>13.2f} s{seen.middle_s * 1000:>7.0f} ms"
                        f"{seen.refused:>9}  {answers}{'' if good else '  MISSED'}", flush=True,
                    )  # fmt: skip
        finally:
            service.stop()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
