"""The errors of the stores.

StoreError
├── StoreUnavailable     the store cannot be reached or is busy; the same call may succeed later
│   ├── DiskFull         there is no room on the disk for a file of ours
│   └── FileDamaged      a file of ours is no database any more, or a part of it cannot be read
├── FileTooNew           a file of ours was written by a later version
├── StoreDamaged         some points of the embedded store cannot be read
├── Unsupported          the store has no way to do what is asked
├── PointRefused         the store will never take this reading
├── BadStoreUrl          the URL names no store of ours
├── JournalFull          the journal has reached its quota; nothing was written
├── JournalDamaged       a committed batch cannot be read back
├── DatabaseTooNew       a later version has migrated the operations database
└── BadHistory           a file is no history of readings
"""

from __future__ import annotations

from collections.abc import Sequence

from campus.store_url import StoreKind, expected_form, form_of, without_secret


class StoreError(Exception):
    """Base of every error this room raises."""


class StoreUnavailable(StoreError):
    """Raised when the store does not answer or is overloaded; try again later."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"{url} is not available: {reason}")


class StoreMissing(StoreUnavailable):
    """Raised to a question where nothing was ever stored, or all of it was removed; the next write makes it anew."""


class DiskFull(StoreUnavailable):
    """Raised where a file cannot grow; nothing of the call was kept, and it may succeed once there is room."""

    def __init__(self, file: str) -> None:
        super().__init__(file, "the disk is full; free some space")


class FileDamaged(StoreUnavailable):
    """Raised for a database file that SQLite cannot make sense of. It stays so until it is repaired."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(file, f"the file is damaged ({reason}); run 'shouyuan doctor --data DIR'")


class FileTooNew(StoreError):
    """Raised for a file whose version this program does not know; reading it anyway could spoil it."""

    def __init__(self, file: str, found: int, expected: int) -> None:
        super().__init__(
            f"{file} has version {found}, this program knows up to {expected}: update shouyuan, or restore a copy"
            " that was made with this version"
        )


class StoreDamaged(StoreError):
    """Raised where a block of the embedded store's file cannot be read."""

    def __init__(self, series: int, first_ms: int, last_ms: int, reason: str) -> None:
        super().__init__(
            f"series {series}: the block from {first_ms} to {last_ms} ms cannot be read: {reason}"
        )


class Unsupported(StoreError):
    """Raised for what a store cannot do at all; *instead* says how the same is reached."""

    def __init__(self, url: str, what: str, instead: str) -> None:
        super().__init__(f"{url} cannot {what}: {instead}")


class PointRefused(StoreError):
    """Raised when readings can never be stored, after the rest of their batch was.

    *refused* holds the position in the batch and the reason of each, the first one's also in *index* and *reason*.
    """

    def __init__(self, index: int, reason: str, *, further: Sequence[tuple[int, str]] = ()) -> None:
        self.index = index
        self.reason = reason
        self.refused = ((index, reason), *further)
        more = f" (and {len(further)} more)" if further else ""
        super().__init__(f"reading {index} of the batch was refused: {reason}{more}")


class BadStoreUrl(StoreError):
    """Raised for a store URL that names none of ours, or not of the *kind* that is asked for. A secret in it is left out."""

    def __init__(self, found: str, kind: StoreKind | None = None) -> None:
        self.found = without_secret(found)
        expected = expected_form(found) if kind is None else form_of(kind)
        super().__init__(f"store {self.found!r} is not known; expected {expected}")


class JournalFull(StoreError):
    """Raised when the journal's disk quota is reached; the messages stay with the broker."""

    def __init__(self, size_bytes: int, quota_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.quota_bytes = quota_bytes
        super().__init__(f"the journal holds {size_bytes} bytes, its quota is {quota_bytes}")


class JournalDamaged(StoreError):
    """Raised when a committed batch cannot be decoded."""

    def __init__(self, seq: int, reason: str) -> None:
        self.seq = seq
        super().__init__(f"batch {seq} of the journal cannot be read: {reason}")


class DatabaseTooNew(StoreError):
    """Raised for an operations database that a later version has migrated."""

    def __init__(self, database: str, revision: str) -> None:
        super().__init__(
            f"{database} is at revision {revision}, which this version does not know; update shouyuan or restore a backup"
        )


class BadHistory(StoreError):
    """Raised for a file that is no history of readings."""

    def __init__(self, file: str, found: str, expected: str) -> None:
        super().__init__(f"{file}: found {found}; expected {expected}")
