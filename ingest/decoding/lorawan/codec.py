"""Chooses the codec of a payload that came as bytes: by the device's model, else by what describes itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ingest.decoding.lorawan import axioma, dragino, milesight
from ingest.decoding.lorawan.uplink import Uplink
from ingest.errors import Rejected

#: reads bytes of an f_port into an uplink; False when they do not read as a payload of this model
Codec = Callable[[bytes, int, Uplink], bool]

#: words in a model's or profile's name, None where a variant speaks another format; the first that is found counts
_BY_MODEL: tuple[tuple[str, Codec | None], ...] = (
    ("lht65npir", None),
    ("lht65nvib", None),
    ("lht65", dragino.lht65n),
    ("cpl03", dragino.cpl03),
    ("cpl01", dragino.cpl03),
    ("sw3l", dragino.sw3l),
    ("d20lb", dragino.d2x),
    ("d22lb", dragino.d2x),
    ("d23lb", dragino.d2x),
    ("qalcosonic", axioma.w1),
    ("axioma", axioma.w1),
    *((model, milesight.codec(model)) for model in milesight.MODELS),
)


def _pattern(model: str) -> re.Pattern[str]:
    """*model* as a word of a name, with or without separators: ``EM300-DI``, ``em300_di``; not within ``project101``."""
    parts = re.findall(r"[a-z]+|[0-9]+", model)
    return re.compile(r"(?<![a-z0-9])" + r"[-_ ./]?".join(parts) + r"(?![0-9])", re.IGNORECASE)


_PATTERNS = tuple((_pattern(model), codec) for model, codec in _BY_MODEL)


def choose(names: Iterable[str], f_port: int, *, guess: bool) -> Codec | None:
    """The codec of the first of *names* (the register's model, the profile, the device's name) that tells one.

    With *guess*, Milesight's own port is taken as its word: its bytes describe themselves and are read whole or not at
    all. Raises :class:`Rejected` where no codec is known: other bytes are never guessed at.
    """
    for name in names:
        found = next((codec for pattern, codec in _PATTERNS if pattern.search(name)), None)
        if found is not None:
            return found
    if not guess:
        return None
    if f_port == milesight.F_PORT:
        return milesight.unnamed
    raise Rejected(
        "no_codec",
        f"bytes on port {f_port} and no decoded object; expected a codec at the network server, or a known model "
        "in the register",
    )


def read(codec: Codec, raw: bytes, f_port: int) -> Uplink:
    """What *codec* reads; raises :class:`Rejected` when the bytes are not its format."""
    uplink = Uplink()
    if raw and not codec(raw, f_port, uplink):
        if codec is milesight.unnamed:
            raise Rejected(
                "no_codec",
                f"{raw[:32].hex()} on port {f_port}: no model is known, and it does not explain itself",
            )
        raise Rejected(
            "bad_bytes", f"{raw[:32].hex()} on port {f_port} does not read as a payload of this model"
        )
    return uplink
