"""Milesight's channel-type-value payloads (f_port 85).

Every element is a channel byte, a type byte and a little-endian value whose length its type fixes, so the bytes describe
themselves; but ``03 00`` is a door at one model and a leak at another, and history records differ in length, so the model's
table comes first (``milesight_models``). An unknown pair ends the reading, as its length is not known.

Source: the tables of the maker's decoders (github.com/Milesight-IoT/SensorDecoders).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from campus.quantity import Quantity
from campus.reading import Quality
from ingest.decoding.lorawan.milesight.elements import ATTRIBUTES, COMMON, Element, Layout
from ingest.decoding.lorawan.milesight.models import DI, LEAK, MODELS, TH, TH_SHORT, Model
from ingest.decoding.lorawan.uplink import Uplink

__all__ = ["F_PORT", "MODELS", "codec", "unnamed"]

F_PORT = 85
_HISTORY = (0x20, 0xCE)
#: what a history record of an unknown model may be; the one that reads the whole payload is right
_GUESSED: tuple[Model, ...] = (Model(history=TH), Model(history=TH_SHORT), Model(history=DI))
#: nearly always a leak detector's; a counting model whose input is only watched says the same
_LEAK_OR_INPUT = Model({(0x05, 0x00): LEAK})
#: answers to a setting or a command: no readings, and of lengths that only its model knows
_ANSWERS = {0xF0, 0xF8, 0xF9, 0xFE, 0xFF}


def codec(name: str) -> Callable[[bytes, int, Uplink], bool]:
    """The codec of the model of that name."""
    model = MODELS[name]

    def read(raw: bytes, _f_port: int, uplink: Uplink) -> bool:
        return _walk(raw, model, uplink) > 0 or raw[0] in _ANSWERS

    return read


def unnamed(raw: bytes, _f_port: int, uplink: Uplink) -> bool:
    """A device whose model nobody names: read only if every byte is explained, in one way."""
    readings: list[Uplink] = []
    for model in _GUESSED:
        attempt = Uplink()
        if _walk(raw, model, attempt) == len(raw) and all(attempt != other for other in readings):
            readings.append(attempt)
    if not readings:
        return _suspected_leak(raw, uplink)
    if len(readings) != 1:
        return False
    uplink.values, uplink.dropped, uplink.flags = readings[0].values, readings[0].dropped, readings[0].flags
    return True


def _suspected_leak(raw: bytes, uplink: Uplink) -> bool:
    """A leak that nobody's model confirms is stored, but no reason to wake anybody."""
    if _walk(raw, _LEAK_OR_INPUT, uplink) != len(raw):
        return False
    uplink.values = [
        msgspec.structs.replace(one, quality=Quality.SUSPECT)
        if one.quantity == Quantity.LEAK_DETECTED
        else one
        for one in uplink.values
    ]
    return True


def _walk(raw: bytes, model: Model, uplink: Uplink) -> int:
    """Reads element after element; how many bytes were understood (zero padding at the end is)."""
    position = 0
    while position + 2 <= len(raw):
        if not any(raw[position:]):
            return len(raw)
        pair = (raw[position], raw[position + 1])
        length = _step(pair, raw[position + 2 :], model, uplink)
        if length is None:
            return position
        position += 2 + length
    return len(raw) if not any(raw[position:]) else position


def _step(pair: tuple[int, int], rest: bytes, model: Model, uplink: Uplink) -> int | None:
    if pair in model.readers:
        return model.readers[pair](rest, uplink)
    if pair[0] == 0xFF:
        length = ATTRIBUTES.get(pair[1])
        return length if length is not None and length <= len(rest) else None
    if pair == _HISTORY or (pair[1] == _HISTORY[1] and pair[0] in model.histories):
        layout = model.histories.get(pair[0], model.history)
        return _record(layout, rest, uplink)
    element = model.elements.get(pair) or COMMON.get(pair)
    return None if element is None else _read(element, pair, rest, uplink)


def _read(element: Element, pair: tuple[int, int], rest: bytes, uplink: Uplink) -> int | None:
    if len(rest) < element.length:
        return None
    for part in element.parts:
        part.read(rest, f"{pair[0]:02x}{pair[1]:02x}", None, uplink)
    return element.length


def _record(layout: Layout | None, rest: bytes, uplink: Uplink) -> int | None:
    """One history record: a time in seconds, then the layout's parts."""
    if layout is None or len(rest) < layout.length:
        return None
    at_ms = int.from_bytes(rest[:4], "little") * 1000
    for part in layout.parts:
        part.read(rest, "history", at_ms, uplink)
    return layout.length
