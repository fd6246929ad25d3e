"""What each part of the service is handling at this moment, in a file that outlives the process.

The file is mapped into memory: a mark is a few machine words, costs some hundred nanoseconds, and stays in the kernel's
page cache when the process is killed, runs out of memory or crashes. Nothing is flushed for each mark, so after a power
cut it may say what was handled a while before; whoever judges it must ask for the same thing twice.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final

import msgspec
import structlog

log = structlog.get_logger()

_MAGIC: Final = b"SYHAND01"
_BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")
_HEADER_BYTES, _SLOT_BYTES, _SLOTS = 64, 1024, 32
#: of a slot: what is handled (0 for nothing), where, and the length of the text behind these
_WORD_BYTES, _WORDS = 8, 3
_TEXT_AT = _WORDS * _WORD_BYTES
_LONGEST_TEXT = _SLOT_BYTES - _TEXT_AT
_MASK = (1 << 64) - 1


class Left(msgspec.Struct, frozen=True):
    """What part *slot* was handling when the process died: *item* at *place*, as *text* tells people.

    *rebooted*: the machine has started anew since, so that the process may have died of that.
    """

    slot: int
    item: int
    place: int
    text: str
    rebooted: bool = False


class Slot:
    """The mark of one part, which one thread writes."""

    __slots__ = ("_bytes", "words")

    def __init__(self, view: memoryview) -> None:
        self._bytes = view
        #: the item, its place, and the length of the text; for those who mark many times in a call of their own
        self.words = view[:_TEXT_AT].cast("Q")

    def begin(self, item: int, text: str, place: int = 0) -> None:
        """*item* is being handled from now on; 0 stands for nothing."""
        raw = text.encode(errors="replace")
        size = len(raw)
        if size > _LONGEST_TEXT:
            raw, size = raw[:_LONGEST_TEXT], _LONGEST_TEXT
        self._bytes[_TEXT_AT : _TEXT_AT + size] = raw
        words = self.words
        words[2] = size
        words[1] = place & _MASK
        words[0] = item & _MASK

    def end(self) -> None:
        """Nothing is being handled any more."""
        self.words[0] = 0

    def left(self, number: int, *, rebooted: bool) -> Left | None:
        """What an earlier process left here; None for nothing."""
        item, place, size = self.words
        if not item:
            return None
        raw = bytes(self._bytes[_TEXT_AT : _TEXT_AT + min(size, _LONGEST_TEXT)])
        return Left(number, item, place, raw.decode(errors="replace"), rebooted)


class Handling:
    """The file of marks. One that cannot be used is replaced by memory of our own, which forgets: the service goes on."""

    def __init__(self, path: Path, *, boot: str | None = None) -> None:
        self._boot = (_boot_id() if boot is None else boot).encode()[: _HEADER_BYTES - len(_MAGIC)]
        #: why a death will not be known; empty where it will
        self.broken = ""
        try:
            self._map = _mapped(path)
        except (OSError, ValueError) as error:
            self.broken = str(error)
            log.warning("handling.unusable", path=str(path), reason=str(error))
            self._map = mmap.mmap(-1, _HEADER_BYTES + _SLOTS * _SLOT_BYTES)
        self._view = memoryview(self._map)
        self._slots = [
            Slot(self._view[at : at + _SLOT_BYTES])
            for at in range(_HEADER_BYTES, len(self._map), _SLOT_BYTES)
        ]
        known = bytes(self._view[: len(_MAGIC)]) == _MAGIC
        before = bytes(self._view[len(_MAGIC) : _HEADER_BYTES]).rstrip(b"\0")
        #: what was under way when the process before this one died; empty after an orderly end
        self.left: tuple[Left, ...] = ()
        if known:
            found = (
                one.left(number, rebooted=before != self._boot) for number, one in enumerate(self._slots)
            )
            self.left = tuple(one for one in found if one is not None)

    def slot(self, number: int) -> Slot:
        """The mark of part *number*; parts beyond the last share it."""
        return self._slots[min(number, _SLOTS - 1)]

    def begin(self) -> None:
        """Clears what was left, once it is written down elsewhere."""
        for slot in self._slots:
            slot.words[0] = 0
        self._view[len(_MAGIC) : _HEADER_BYTES] = self._boot.ljust(_HEADER_BYTES - len(_MAGIC), b"\0")
        self._view[: len(_MAGIC)] = _MAGIC

    def close(self) -> None:
        """Leaves the file as it is: what is still being handled is told at the next start.

        Nothing is unmapped, as a thread that hangs may still hold its slot.
        """
        if not self.broken:
            self._map.flush()


def _mapped(path: Path) -> mmap.mmap:
    """*path* in memory, all its blocks on disk: a page that finds no room when it is written to ends the process."""
    size = _HEADER_BYTES + _SLOTS * _SLOT_BYTES
    if not path.exists() or path.stat().st_size != size:
        path.write_bytes(bytes(size))
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), size)


def _boot_id() -> str:
    try:
        return _BOOT_FILE.read_text().strip()
    except OSError:  # not Linux: a start of the machine cannot be told from one of ours
        return ""
