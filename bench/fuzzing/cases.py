"""The cases of the fuzzing: well-formed messages of our own, and of others where present, and what is made of them.

A case is told by its number alone, so that one found in a long run can be run again.
"""

from __future__ import annotations

import copy
import csv
import functools
import json
import random
from dataclasses import dataclass
from pathlib import Path

from campus.clock import parse_iso
from ingest.decoding.registry import decoders
from ingest.message import Message

SEEDS = Path(__file__).with_name("seeds.json")
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "payloads"
NOW_MS = parse_iso("2026-11-21T04:00:00Z")
#: one case in so many is blown up towards the largest message allowed
INFLATED = 200
LARGE_BYTES = 900_000
#: leaves that trip readers up: extremes, other scripts, almost-dates, sentinels, empty things
ODD = (
    None, True, False, 0, -1, -0.0, 1e308, -1e308, 5e-324, 2**31, 2**63, 2**64, 10**30, 65535, 6553.5, -327.68, 255,
    "", " ", "NaN", "inf", "1e999", "-", "٣", "½", "\x00", "\ud7ff", "0x1F", "1,5", "12 m3/h", "30.1 °C", "on", "null",
    "2026-02-30T25:61:00Z", "0000-00-00 00:00:00", "9999-12-31T23:59:59-23:59", "20261321115500", 253402300799000, -62135596800000,
    1e18, 99999999999999, "99999999999999999", [], {}, "a" * 300, "AXVcA2c0AQRoZQ==", "////", "A", "éè",
)  # fmt: skip

_JSON_BYTES = b'0123456789012345678901234567890123456789.-+eE"{}[],: tfnul\\aT'


@dataclass(frozen=True)
class Seed:
    """A well-formed message, and the decoder it is meant for."""

    decoder: str
    topic: str
    payload: bytes


@functools.cache
def seeds():
    """Our own messages, and third-party samples where they lie beside the checkout."""
    found = []
    for one in json.loads(SEEDS.read_text(encoding="utf-8")):
        raw = bytes.fromhex(one["hex"]) if "hex" in one else json.dumps(one["json"]).encode()
        found.append(Seed(one["decoder"], one["topic"], raw))
    index = SAMPLES / "index.tsv"
    if index.exists():
        with index.open(encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                known = row["format"] if row["format"] in decoders() else ""
                found.append(Seed(known, row["topic"].split("  ")[0], (SAMPLES / row["file"]).read_bytes()))
    return tuple(found)


@functools.cache
def words():
    """Every key of the seeds, for documents made of nothing but words that decoders look for."""
    found = set()
    for seed in seeds():
        try:
            left = [json.loads(seed.payload)]
        except ValueError:
            continue
        while left:
            one = left.pop()
            if isinstance(one, dict):
                found.update(one)
                left += one.values()
            elif isinstance(one, list):
                left += one
    return tuple(sorted(found))


def case(number):
    """The decoder's name ("" for whichever recognises it) and the message of case *number*."""
    generator = random.Random(number)
    seed = generator.choice(seeds())
    name = seed.decoder if generator.random() < 0.7 else generator.choice(["", *sorted(decoders())])
    topic = seed.topic if generator.random() < 0.8 else _topic(generator, seed.topic)
    shape = generator.random()
    if shape < 0.05:
        payload = generator.randbytes(generator.randrange(200))
    elif shape < 0.15:
        payload = json.dumps(_document(generator, 4)).encode()
    elif shape < 0.4:
        payload = _bytes(generator, seed.payload)
    else:
        payload = _tree(generator, seed.payload, inflated=generator.randrange(INFLATED) == 0)
        payload = _bytes(generator, payload) if generator.random() < 0.1 else payload
    return name, Message(topic, payload, NOW_MS, retained=generator.random() < 0.1)


def _topic(generator, topic):
    parts = topic.split("/")
    at = generator.randrange(len(parts))
    match generator.randrange(4):
        case 0:
            parts[at] = generator.choice(["", "up", "report", "冰柜 1", "a" * 300, "x.y", "null"])
        case 1:
            del parts[at]
        case 2:
            parts.insert(at, generator.choice(parts))
        case _:
            parts = generator.choice(seeds()).topic.split("/")
    return "/".join(parts)


def _bytes(generator, payload):
    raw = bytearray(payload)
    for _ in range(generator.randint(1, 5)):
        at = generator.randrange(len(raw) + 1)
        match generator.randrange(6):
            case 0:
                raw[at : at + 1] = _noise(generator, payload, 1)
            case 1:
                del raw[at : at + generator.randint(1, 20)]
            case 2:
                raw[at:at] = _noise(generator, payload, generator.randint(1, 9))
            case 3:
                raw[at:at] = raw[at : at + generator.randint(1, 40)]
            case 4:
                raw[at:] = generator.choice(seeds()).payload[generator.randrange(40) :]
            case _:
                raw[at : at + 1] = bytes([raw[at] ^ 1 << generator.randrange(8)]) if at < len(raw) else b"0"
        del raw[LARGE_BYTES:]
    return bytes(raw)


def _noise(generator, payload, size):
    """Mostly what JSON is made of, so that broken documents are still documents now and then."""
    if payload[:1] not in {b"{", b"["} or generator.random() < 0.3:
        return generator.randbytes(size)
    return bytes(generator.choices(_JSON_BYTES, k=size))


def _document(generator, depth):
    kind = generator.randrange(3 if depth else 1)
    if kind == 0:
        return generator.choice([_odd(generator), generator.choice(words()), generator.uniform(-1e4, 1e4)])
    if kind == 1:
        return [_document(generator, depth - 1) for _ in range(generator.randrange(4))]
    return {generator.choice(words()): _document(generator, depth - 1) for _ in range(generator.randrange(6))}


def _odd(generator):
    return copy.copy(generator.choice(ODD))  # lists and objects among them are changed later on


def _tree(generator, payload, *, inflated):
    """*payload* with places in its document changed; with *inflated*, one of them repeated until it is large."""
    try:
        body = {"": json.loads(payload)}
    except ValueError:
        return _bytes(generator, payload)
    for _ in range(generator.randint(1, 4)):
        holder, key = generator.choice(_places(body))
        holder[key] = _changed(generator, holder[key], body)
    if inflated:
        holder, key = generator.choice(_places(body))
        holder[key] = _large(generator, holder[key], LARGE_BYTES - len(payload))
    return json.dumps(body.get(""), ensure_ascii=generator.random() < 0.5).encode(errors="replace")


def _places(body):
    found, left = [], [body]
    while left:
        one = left.pop()
        for key, inside in one.items() if isinstance(one, dict) else enumerate(one):
            found.append((one, key))
            if isinstance(inside, dict | list) and len(found) < 2_000:
                left.append(inside)
    return found


def _changed(generator, old, body):
    match generator.randrange(6):
        case 0 | 1:
            return _odd(generator)
        case 2:
            return [old] * generator.randrange(4)
        case 3:
            return {generator.choice(words()): old, generator.choice(words()): _odd(generator)}
        case 4:
            return json.loads(json.dumps(body.get("")))
        case _ if isinstance(old, dict) and old:
            return {generator.choice(words()): one for one in old.values()}
        case _:
            return (
                str(old)[:80]
                if generator.random() < 0.5
                else functools.reduce(lambda one, _: [one], range(40), old)
            )


def _large(generator, old, size):
    """*old* as a list, an object or a text of some *size* bytes."""
    each = len(json.dumps(old)) + 8
    many = max(1, min(size // each, 200_000))
    match generator.randrange(3):
        case 0:
            return [old] * many
        case 1:
            return {f"{generator.choice(words())}{at}": old for at in range(max(1, size // (each + 16)))}
        case _:
            return generator.choice("09aé[/ .") * (size // 2)
