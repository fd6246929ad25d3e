"""Chooses the codec of a payload that came as bytes: by the device's model, else by what describes itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ingest.decoding.lorawan import dragino, milesight
from ingest.errors import Rejected
from ingest.message import Value

Codec = Callable[[bytes, dict[str, str]], list[Value] | None]

#: words in a model's or profile's name; longer words first, as some contain others
_BY_MODEL: tuple[tuple[str, Codec], ...] = (
    ("lht65", dragino.lht65n),
    ("cpl03", dragino.cpl03),
    ("sw3l", dragino.sw3l),
    ("em300", milesight.decode),
    ("em310", milesight.decode),
    ("em320", milesight.decode),
    ("em500", milesight.decode),
    ("ct101", milesight.decode),
    ("ct103", milesight.decode),
    ("ct105", milesight.decode),
)


def values_of(raw: bytes, f_port: int, names: Iterable[str], dropped: dict[str, str]) -> list[Value]:
    """The values of *raw*. *names* are the register's model, the profile and the device's name, best first.

    Raises :class:`Rejected` where no codec is known: bytes are never guessed at, but Milesight's on its own port say
    what they are.
    """
    codec = _by_name(names)
    if codec is None and f_port == milesight.F_PORT:
        codec = milesight.decode
    if codec is None:
        raise Rejected(
            "no_codec",
            f"{len(raw)} bytes on port {f_port} and no decoded object; expected a codec at the network server, "
            "or a known model in the register",
        )
    values = codec(raw, dropped)
    if values is None:
        raise Rejected("bad_bytes", f"{raw[:32].hex()} does not read as a payload of this model")
    return values


def _by_name(names: Iterable[str]) -> Codec | None:
    for name in names:
        folded = name.lower().replace("-", "").replace("_", "").replace(" ", "")
        for word, codec in _BY_MODEL:
            if word in folded:
                return codec
    return None
