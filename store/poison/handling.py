"""What each part of the service is handling at this moment, in a file that outlives the process.

The file is mapped into memory: a mark is a few machine words, costs some hundred nanoseconds, and stays in the kernel's
page cache when the process is killed, runs out of memory or crashes. Nothing is flushed for each mark, so after a power
cut it may say what was handled a while before; whoever judges it must ask for the same thing twice.
"""

from __future__ import annotations

import mmap
from collections import deque
from pathlib import Path
from typing import Final

import msgspec
import structlog

log = structlog.get_logger()

_MAGIC: Final = b"SYHAND02"
_BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")
_HEADER_BYTES, _SLOT_BYTES, _SLOTS = 64, 1024, 32
#: of a slot: what is handled (0 for nothing), where, and the length of the text behind these
_WORD_BYTES, _WORDS = 8, 3
_TEXT_AT = _WORDS * _WORD_BYTES
_LONGEST_TEXT = _SLOT_BYTES - _TEXT_AT
_MASK = (1 << 64) - 1
#: behind the slots, the topics of messages, which come too often for a text each
_TOPICS_AT = _HEADER_BYTES + _SLOTS * _SLOT_BYTES
_TOPICS, _ROW_BYTES = 16_384, 128
_LONGEST_TOPIC = _ROW_BYTES - 1
_NUMBER_SHIFT = 32
_SIZE_BYTES = _TOPICS_AT + _TOPICS * _ROW_BYTES


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


class Topics:
    """Topics by number, so that a mark of one is a single word; the oldest make room. One thread's."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._rows = len(view) // _ROW_BYTES
        self._topics: deque[str] = deque()
        self._next = 0
        #: of topics seen lately: where their number stands in a mark
        self.numbers: dict[str, int] = {}

    def enter(self, topic: str) -> int:
        """Writes *topic* down; returns its number, in the upper half of a mark. The end of a long one is cut off."""
        raw = topic.encode(errors="replace")[:_LONGEST_TOPIC]
        if len(self._topics) >= self._rows:
            self.numbers.pop(self._topics.popleft(), None)
        row, self._next = self._next, (self._next + 1) % self._rows
        at = row * _ROW_BYTES
        self._view[at : at + 1 + len(raw)] = bytes([len(raw)]) + raw
        self._topics.append(topic)
        number = self.numbers[topic] = row + 1 << _NUMBER_SHIFT
        return number

    def text(self, mark: int) -> str:
        """The topic of a mark, from what an earlier process wrote; "" for none."""
        row = (mark >> _NUMBER_SHIFT) - 1
        if not 0 <= row < self._rows:
            return ""
        at = row * _ROW_BYTES
        return bytes(self._view[at + 1 : at + 1 + self._view[at]]).decode(errors="replace")


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
            self._map = mmap.mmap(-1, _SIZE_BYTES)
        self._view = memoryview(self._map)
        self._slots = [
            Slot(self._view[at : at + _SLOT_BYTES]) for at in range(_HEADER_BYTES, _TOPICS_AT, _SLOT_BYTES)
        ]
        self.topics = Topics(self._view[_TOPICS_AT:])
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


def kept_topic(topic: str) -> str:
    """*topic* as a mark keeps it: the end of a long one is cut off."""
    raw = topic.encode(errors="replace")
    return topic if len(raw) <= _LONGEST_TOPIC else raw[:_LONGEST_TOPIC].decode(errors="replace")


def _mapped(path: Path) -> mmap.mmap:
    """*path* in memory, all its blocks on disk: a page that finds no room when it is written to ends the process."""
    if not path.exists() or path.stat().st_size != _SIZE_BYTES:
        path.write_bytes(bytes(_SIZE_BYTES))
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), _SIZE_BYTES)


def _boot_id() -> str:
    try:
        return _BOOT_FILE.read_text().strip()
    except OSError:  # not Linux: a start of the machine cannot be told from one of ours
        return ""
