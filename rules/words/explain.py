"""An alert in plain words: what, where, since when, how much, and what to do."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from campus.campus import Campus
from campus.clock import from_ms
from campus.quantity import SPECS, Quantity
from campus.text import Translate
from campus.text import marked as _
from rules.catalogue import catalogue
from rules.words.fact import Ending, Fact

_OTHER_TITLE = _("{place}「{device}」告警:{rule}")
_SINCE = _("从 {since} 开始")
_STANDS_ON = _("依据:{time} 的读数 {value:g}")
_NOW = _("现在 {value:.4g} {unit}")
_AT_THE_TIME = _("告警时:{line}")


class Explanation(msgspec.Struct, frozen=True):
    """A title, the facts one a line, and the advice."""

    title: str
    lines: tuple[str, ...]
    advice: str


def explain(
    rule: str, subject: str, evidence: Mapping[str, Any], campus: Campus, translate: Translate
) -> Explanation:
    """*evidence* (as built from :class:`rules.verdict.Evidence`) in words, in the language of *translate*."""
    facts: Mapping[str, Any] = evidence.get("facts", {})
    known = catalogue().get(rule)
    title = translate(known.title if known is not None else _OTHER_TITLE).format(
        place=place_of(subject, campus), device=name_of(subject, campus), rule=rule
    )
    recovered = evidence.get("recovered")
    if recovered:
        lines = [*_well_again(recovered, translate), *_at_its_worst(rule, facts, translate)]
    else:
        lines = [_line(translate(one.line), facts[one.key]) for one in lines_of(rule) if one.key in facts]
    for witness in () if recovered else evidence.get("witnesses", ())[:3]:
        at = from_ms(witness["time_ms"], campus.site.zone).strftime("%m-%d %H:%M")
        lines.append(translate(_STANDS_ON).format(time=at, value=witness["value"]))
    since_ms = evidence.get("since_ms", 0)
    if since_ms:
        since = from_ms(since_ms, campus.site.zone).strftime("%m-%d %H:%M")
        lines.append(translate(_SINCE).format(since=since))
    advice = advice_texts().get(str(evidence.get("advice", "")), "")
    return Explanation(title, tuple(lines), translate(advice) if advice else "")


@functools.cache
def lines_of(rule: str) -> tuple[Fact, ...]:
    """The lines of *rule* in its order, then everybody's: an alert kept from before may stand on what it has given up."""
    rules = catalogue()
    own = rules[rule].lines if rule in rules else ()
    found: dict[str, Fact] = {}
    for one in (*own, *(fact for other in rules.values() for fact in other.lines)):
        found.setdefault(one.key, one)
    return tuple(found.values())


@functools.cache
def advice_texts() -> Mapping[str, str]:
    """Every advice there is, by the key a verdict carries."""
    return {one.key: one.text for rule in catalogue().values() for one in rule.advice}


def name_of(subject: str, campus: Campus) -> str:
    """The device's name, or its id where it is not in the register any more."""
    device = campus.devices.get(subject)
    return device.name if device is not None else subject


def place_of(subject: str, campus: Campus) -> str:
    """Building, floor and room as written in the register."""
    device = campus.devices.get(subject)
    if device is None:
        return ""
    building = campus.site.building(device.place.building)
    parts = (
        building.name if building is not None else device.place.building,
        device.place.floor,
        device.place.room,
    )
    return " ".join(part for part in parts if part)


def _well_again(recovered: Mapping[str, Any], translate: Translate) -> Iterator[str]:
    """The reading that showed the recovery; a counter's would say nothing."""
    quantity = str(recovered["series"]).split("/")[1]
    spec = SPECS.get(Quantity(quantity)) if quantity in set(Quantity) else None
    if spec is not None and not spec.counter:
        yield (
            translate(_NOW)
            .format(value=recovered["value"], unit="" if spec.unit == "1" else spec.unit)
            .rstrip()
        )


def _at_its_worst(rule: str, facts: Mapping[str, Any], translate: Translate) -> Iterator[str]:
    """Of what was true while it lasted the extremes, sums and limits as they are, and the rest as of then; no forecasts."""
    for one in lines_of(rule):
        if one.key not in facts or one.ending is Ending.DROPPED:
            continue
        line = _line(translate(one.line), facts[one.key])
        yield line if one.ending is Ending.KEPT else translate(_AT_THE_TIME).format(line=line)


Explain = Callable[[str, str, Mapping[str, Any]], Explanation]


def _line(text: str, value: Any) -> str:
    try:
        return text.format(value=value)
    except ValueError:  # a fact that should be a number and is a text
        return str(value)
