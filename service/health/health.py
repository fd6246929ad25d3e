"""How the parts do, by what they did, for people to read; never waits, and never fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from alerts.own import parts as own_parts
from alerts.own import service as own
from api.ports import Condition, Health, Part
from campus.campus import Campus
from campus.clock import SECOND_MS, steady_ms
from campus.text import Translate
from rules.level import Level
from rules.verdict import Facts
from service.health.watch import Watch
from service.trouble import Trouble

#: looks are made every second; what was not looked at for so long is not proven well
STALE_MS = 20 * SECOND_MS
_WORST_FIRST = list(reversed(Condition))


def of(
    watches: Sequence[Watch], campus: Campus, translate: Translate, now: Callable[[], int] = steady_ms
) -> Health:
    """The health of every part, from the last looks of *watches*."""
    by_part: dict[str, list[Trouble]] = {}
    for watch in watches:
        by_part |= {part: by_part.get(part, []) for part in watch.parts}
        for trouble in _troubles(watch, now()):
            if trouble.part:
                by_part.setdefault(trouble.part, []).append(trouble)
    return Health(tuple(_part(name, troubles, campus, translate) for name, troubles in by_part.items()))


def _troubles(watch: Watch, now_ms: int) -> Iterable[Trouble]:
    """What was wrong at the last look; where that is missing or too old, nothing is known to be well."""
    looked_ms = watch.looked_ms
    if looked_ms is None:
        for part in watch.parts:
            yield Trouble(
                own_parts.NOT_PROVEN, part, Level.WARNING, {}, part=part, condition=Condition.STARTING
            )
        return
    yield from watch.troubles
    if now_ms - looked_ms > STALE_MS:
        facts: Facts = {"seconds": (now_ms - looked_ms) / SECOND_MS}
        for part in watch.parts:
            yield Trouble(
                own_parts.LOOKS_STOPPED, part, Level.CRITICAL, facts, part=part, condition=Condition.DOWN
            )


def _part(name: str, troubles: Sequence[Trouble], campus: Campus, translate: Translate) -> Part:
    if not troubles:
        return Part(name, Condition.OK)
    worst_first = sorted(troubles, key=lambda trouble: _WORST_FIRST.index(trouble.condition))
    texts = dict.fromkeys(_text(trouble, campus, translate) for trouble in worst_first)
    return Part(name, worst_first[0].condition, " ".join(texts))


def _text(trouble: Trouble, campus: Campus, translate: Translate) -> str:
    """One trouble in a line."""
    facts = {key: value for key, value in trouble.facts.items() if key != "part"}  # named before the text
    explanation = own.texts_for(trouble.rule, trouble.subject, {"facts": facts}, campus, translate)
    return f"{explanation.title} ({'; '.join(explanation.lines)})" if explanation.lines else explanation.title
