"""Chooses the codec of a payload that came as bytes: by the device's model, else by what describes itself."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable

from ingest.decoding.lorawan import axioma, decentlab, gavazzi, integra, quandify, wmbus
from ingest.decoding.lorawan.dragino import pt100 as dragino_pt100
from ingest.decoding.lorawan.dragino import sensors as dragino
from ingest.decoding.lorawan.milesight import payload as milesight
from ingest.decoding.lorawan.uplink import Uplink
from ingest.errors import Rejected

#: reads bytes of an f_port into an uplink; False when they do not read as a payload of this model
Codec = Callable[[bytes, int, Uplink], bool]

#: words in a model's or profile's name, None where a variant speaks another format; the first that is found counts
_BY_MODEL: tuple[tuple[str, Codec | None], ...] = (
    ("lht65n-pir", None),
    ("lht65n-vib", None),
    ("lht65", dragino.lht65n),
    ("cpl03", dragino.cpl03),
    ("cpl01", dragino.cpl01),
    ("sw3l-020", dragino.sw3l_020),
    ("sw3l-lb-020", dragino.sw3l_020),
    ("sw3l", dragino.sw3l),
    ("ltc2lb", dragino_pt100.ltc2_lb),
    ("ltc2ls", dragino_pt100.ltc2_lb),
    ("ltc2", dragino_pt100.ltc2),
    ("d20lb", dragino.d2x),
    ("d22lb", dragino.d2x),
    ("d23lb", dragino.d2x),
    ("qalcosonic", axioma.w1),
    ("axioma", axioma.w1),
    ("cubicmeter", quandify.cubicmeter),
    ("quandify", quandify.cubicmeter),
    ("uwp-a", gavazzi.uwp),
    ("uwp-m", gavazzi.uwp),
    ("gavazzi", gavazzi.uwp),
    ("aquastream", integra.aquastream),
    ("wm-bus", wmbus.telegram),
    ("wireless-m-bus", wmbus.telegram),
    *((model, milesight.codec(model)) for model in milesight.MODELS),
    *((f"dl-{model}", decentlab.codec(model)) for model in decentlab.MODELS),
)


def _pattern(model: str) -> re.Pattern[str]:
    """*model* as a word of a name, with or without separators: ``EM300-DI``, ``em300_di``; not within ``project101``.

    Letters are one part and digits one; a hyphen in *model* parts letters, too.
    """
    parts = re.findall(r"[a-z]+|[0-9]+", model)
    return re.compile(r"(?<![a-z0-9])" + r"[-_ ./]?".join(parts) + r"(?![0-9])", re.IGNORECASE)


_PATTERNS = tuple((_pattern(model), codec) for model, codec in _BY_MODEL)


def read(names: Iterable[str], raw: bytes, f_port: int, *, guess: bool) -> Uplink | None:
    """What *raw* says, by the codec of the first of *names* (the register's model, the profile, the device's name)
    that tells one; None where none does and nothing is to be guessed.

    With *guess*, formats that are read whole or not at all may explain themselves. Raises :class:`Rejected` where no
    codec is known, or the bytes are not of the known one's format: other bytes are never guessed at.
    """
    if not raw:
        return Uplink()
    for name in names:
        found = _codec(name)
        if found is None:
            continue
        uplink = Uplink()
        if found(raw, f_port, uplink):
            return uplink
        raise Rejected(
            "bad_bytes", f"{raw[:32].hex()} on port {f_port} does not read as a payload of model {name!r}"
        )
    return _unnamed(raw, f_port) if guess else None


@functools.lru_cache(maxsize=10_000)
def _codec(name: str) -> Codec | None:
    return next((codec for pattern, codec in _PATTERNS if pattern.search(name)), None)


def _unnamed(raw: bytes, f_port: int) -> Uplink:
    uplink = Uplink()
    explain = (milesight.unnamed,) if f_port == milesight.F_PORT else (decentlab.unnamed, wmbus.telegram)
    for one in explain:
        if one(raw, f_port, uplink):
            return uplink
    raise Rejected(
        "no_codec",
        f"{raw[:32].hex()} on port {f_port} and no decoded object; expected a codec at the network server, or a known "
        "model in the register",
    )
