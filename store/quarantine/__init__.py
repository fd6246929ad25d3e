"""Messages that could not be used, with the reason and the raw payload: bounded, viewable, replayable."""

from store.quarantine.entry import (
    KEPT_PAYLOAD_BYTES,
    POISON,
    REFUSED,
    UNREGISTERED,
    QuarantineEntry,
    UnregisteredDevice,
)
from store.quarantine.file import Quarantine, Usage
from store.quarantine.selection import Selection

__all__ = [
    "KEPT_PAYLOAD_BYTES",
    "POISON",
    "REFUSED",
    "UNREGISTERED",
    "Quarantine",
    "QuarantineEntry",
    "Selection",
    "UnregisteredDevice",
    "Usage",
]
