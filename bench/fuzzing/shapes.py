"""Messages made to be slow: well-formed ones with one place blown up to a size, in all the ways that have been slow anywhere.

A shape is told by its name, ``decoder|where|what``; its size is given, so that its cost can be measured as it doubles.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.fuzzing.cases import NOW_MS, seeds
from ingest.message import LONGEST_TOPIC, Message

#: places of one message that are blown up, and of one format's messages
MOST_PLACES = 10
MOST_SEEDS = 2
_NOT_JSON = frozenset({"sparkplug_b"})


@dataclass(frozen=True)
class Shape:
    """*make* gives the message whose blown-up *place* has about that many bytes."""

    decoder: str
    place: str
    what: str
    make: Callable[[int], Message]

    @property
    def name(self) -> str:
        return f"{self.decoder}|{self.place}|{self.what}"


def _repeated(text):
    return lambda size: text * max(1, size // len(text))


def _keys(key):
    return lambda size: {f"{key}{number:x}": 1.5 for number in range(max(1, size // (len(key) + 12)))}


class Raw(str):
    """Text that is put into a document as it is."""

    __slots__ = ()


def _nested_list(size):
    return Raw("[" * (size // 2) + "1" + "]" * (size // 2))


def _nested_object(size):
    return Raw('{"a":' * (size // 6) + "1" + "}" * (size // 6))


#: what a value becomes
VALUES = {
    "digits": lambda size: Raw("1" * size),
    "float of many digits": lambda size: Raw("1." + "7" * size),
    "exponent of many digits": lambda size: Raw("1e" + "3" * size),
    "text of digits": _repeated("9"),
    "text of other scripts' digits": _repeated("٣"),
    "text of spaces": lambda size: "1" + " " * size + "x",
    "text of combining marks": lambda size: "a" + "\u0315\u0300\u0316" * (size // 6),
    "text of one ligature": _repeated("\ufdfa"),
    "text of words": _repeated("barometer"),
    "text of dates": lambda size: "2026-11-21T00:00:00." + "1" * size,
    "text of brackets": lambda size: "{{ " + "value_json.a" + "['b']" * (size // 5) + " }}",
    "text of filters": lambda size: "{{ value_json.a" + " | round(1)" * (size // 11) + " }}",
    "text of parentheses": lambda size: "{{ " + "float(" * (size // 7) + "value" + ")" * (size // 7) + " }}",
    "text of slashes": _repeated("a/"),
    "text of hex": _repeated("01030400"),
    "text of base64": _repeated("AXVcA2c0"),
    "text of commas": _repeated("1,"),
    "text of key and value": _repeated("temperature=1;"),
    "many numbers": lambda size: [1.5] * (size // 4),
    "a number beyond all": lambda _size: Raw("1e999"),
    "a negative number beyond all": lambda _size: Raw("-1e999"),
    "many huge numbers": lambda size: [Raw("1e308")] * (size // 6),
    "many empty lists": lambda size: [[]] * (size // 3),
    "many empty objects": lambda size: [{}] * (size // 3),
    "many keys": _keys("temperature_"),
    "many keys of words": _keys("batterylevelvoltage"),
    "many nonsense keys": _keys("qzkx"),
    "many Chinese keys": _keys("正向有功总电能"),
    "many long keys": lambda size: {"barometer" * 17 + f"{number:x}": 1 for number in range(size // 170)},
    "one long key": lambda size: {"barometer" * (size // 9): 1.5},
    "one key of marks": lambda size: {"a" + "\u0315\u0300\u0316" * (size // 6): 1.5},
    "lists within lists": _nested_list,
    "objects within objects": _nested_object,
}
#: what a topic's level becomes, within the longest topic there may be
LEVELS = {
    "level of words": lambda size: "barometer" * (size // 9) + "q",
    "level of marks": lambda size: "a" + "\u0315\u0300\u0316" * (size // 3),
    "level of ligatures": lambda size: "\ufdfa" * size,
    "levels": lambda size: "/".join("a" * (size // 2)),
    "empty levels": lambda size: "/" * size,
    "level of separators": lambda size: "_-. " * (size // 4),
    "level of digits": lambda size: "9" * size,
}
#: whole payloads
PAYLOADS = {
    "spaces": lambda size: b" " * size,
    "zeros": lambda size: b"\0" * size,
    "brackets": lambda size: b"[" * size,
    "braces": lambda size: b'{"a":' * (size // 5),
    "digits": lambda size: b"9" * size,
    "a text without end": lambda size: b'"' + b"a" * size,
    "escapes": lambda size: b'"' + b"\\u0000" * (size // 6) + b'"',
    "surrogates": lambda size: b'{"temperature":"' + b"\\ud800" * (size // 6) + b'"}',
    "hex": lambda size: b"0103" * (size // 4),
    "hex with spaces": lambda size: b"01 03 " * (size // 6),
    "bytes": lambda size: bytes(range(256)) * (size // 256),
    "metrics": lambda size: b"\x12\x06\x0a\x04temp" * (size // 8),
    "empty metrics": lambda size: b"\x12\x00" * (size // 2),
    "groups": lambda size: b"\x0b\x0c" * (size // 2),
    "a number without end": lambda size: b"\xff" * size,
    "key and value": lambda size: b"temperature=1 " * (size // 14),
    "lines": lambda size: b"temperature 1\n" * (size // 14),
}


def shapes(decoder: str = "", *, seeds_each: int = MOST_SEEDS) -> Iterator[Shape]:
    """Every shape of *decoder*, of all with ""."""
    for name, own in _by_decoder().items():
        if decoder not in {"", name}:
            continue
        first = own[0]
        for what, payload in PAYLOADS.items():
            yield Shape(name, "payload", what, functools.partial(_with_payload, first.topic, payload))
        for what, level in LEVELS.items():
            for at in range(len(first.topic.split("/"))):
                yield Shape(name, f"topic {at}", what, functools.partial(_with_level, first, at, level))
        for number, seed in enumerate(own[:seeds_each]):
            body = _body(seed)
            if body is None:
                continue
            for path in list(_places(body, ()))[:MOST_PLACES]:
                for what, value in VALUES.items():
                    where = ".".join(map(str, path)) or "document"
                    make = functools.partial(_with_value, seed.topic, body, path, value)
                    yield Shape(name, f"{number}:{where}", what, make)


@functools.cache
def _by_decoder():
    found: dict[str, list] = {}
    for seed in seeds():
        found.setdefault(seed.decoder, []).append(seed)
    found.pop("", None)
    return found


def _body(seed):
    if seed.decoder in _NOT_JSON:
        return None
    try:
        return json.loads(seed.payload)
    except ValueError:
        return None


def _places(body, path):
    yield path
    if isinstance(body, dict | list):
        for key, inside in body.items() if isinstance(body, dict) else enumerate(body):
            yield from _places(inside, (*path, key))


def _with_payload(topic, payload, size):
    return Message(topic, payload(size), NOW_MS)


def _with_level(seed, at, level, size):
    parts = seed.topic.split("/")
    parts[at] = level(size)
    return Message("/".join(parts)[:LONGEST_TOPIC], seed.payload, NOW_MS)


def _with_value(topic, body, path, value, size):
    return Message(topic, _text(_placed(body, path, value(size))).encode(errors="replace"), NOW_MS)


def _placed(body, path, new):
    if not path:
        return new
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[path[0]] = _placed(body[path[0]], path[1:], new)
    return copy


def _text(body):
    """As JSON; raw text as it is, and nothing limits how deep."""
    marks = {}

    def marked(one):
        if isinstance(one, Raw):
            marks.setdefault(str(one), f"@@{len(marks)}@@")
            return marks[str(one)]
        return one

    def walk(one):
        if isinstance(one, dict):
            return {key: walk(inside) for key, inside in one.items()}
        if isinstance(one, list):
            return [walk(inside) for inside in one]
        return marked(one)

    text = json.dumps(walk(body), ensure_ascii=False)
    for raw, mark in marks.items():
        text = text.replace(f'"{mark}"', raw)
    return text
