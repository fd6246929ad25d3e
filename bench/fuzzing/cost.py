"""What a message costs: seconds of this thread, and bytes of memory at the peak."""

from __future__ import annotations

import time
import tracemalloc

from bench.fuzzing.verdict import verdict
from ingest.decoding.contract import Hints
from ingest.decoding.reading.metric_name import metric_meaning
from ingest.decoding.reading.names import is_setting, loosely, meaning

_REMEMBERED = (meaning, loosely, is_setting, metric_meaning)


def seconds(shape, message, *, times=1):
    """CPU of the quickest of some *times*, each with hints that know nothing yet."""
    return min(_once(shape, message) for _ in range(times))


def _once(shape, message):
    hints = Hints()
    for remembered in _REMEMBERED:  # or the second time would be another matter than the first
        remembered.cache_clear()
    began_s = time.thread_time()
    verdict(shape.decoder, message, hints)
    return time.thread_time() - began_s


def peak_bytes(shape, message):
    """Memory at the peak, beyond what was there before."""
    hints = Hints()
    tracemalloc.start()
    try:
        verdict(shape.decoder, message, hints)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
