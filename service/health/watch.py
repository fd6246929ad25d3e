"""The service watches itself: what keeps it from its work becomes an alert, told like any other, and is shown in its health."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
import structlog

from alerts.book import AlertBook
from alerts.own import parts as own_parts
from api.ports import Condition
from campus.clock import MINUTE_MS, steady_ms
from rules.level import Level, State
from rules.verdict import Evidence, Facts, Transition

log = structlog.get_logger()

#: a trouble that is over must stay so this long before it is called so
STAYS_OVER_MS = MINUTE_MS


class Trouble(msgspec.Struct, frozen=True):
    """Something that is wrong at this moment; it becomes an alert when it lasts *for_ms*.

    *part* of the service is in *condition* because of it, from the first moment on; no part for what is wrong elsewhere.
    """

    rule: str
    subject: str
    severity: Level
    facts: Facts
    for_ms: int = 0
    part: str = ""
    condition: Condition = Condition.DEGRADED


class Probe(msgspec.Struct, frozen=True):
    """A look at one *part*; where the look itself fails, that part is not proven well, and so is down."""

    part: str
    ask: Callable[[int], Iterable[Trouble]]

    def __call__(self, now_ms: int) -> Iterable[Trouble]:
        """What is wrong now."""
        return self.ask(now_ms)


class _Case(msgspec.Struct):
    trouble: Trouble
    since_ms: int
    seen_ms: int
    firing: bool = False


#: what is wrong now; asked with the moment
Look = Callable[[int], Iterable[Trouble]]


class Watch:
    """Asks *looks* what is wrong, remembers it for whoever asks for the health of *parts*, and opens and ends the alerts."""

    def __init__(
        self,
        book: AlertBook,
        looks: Sequence[Look],
        *,
        parts: Sequence[str] = (),
        told: Callable[[], None] = lambda: None,
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        self._book = book
        self._looks = looks
        self._told = told
        self._steady_ms = steady_ms
        self._cases: dict[tuple[str, str], _Case] = {}
        #: looks that failed the last time, so that each is logged once
        self._failing: set[int] = set()
        self.parts = tuple(parts)
        #: what was wrong at the last look, and when that was by the steady clock; None before the first
        self.troubles: tuple[Trouble, ...] = ()
        self.looked_ms: int | None = None

    def recover(self, rules: Iterable[str], now_ms: int) -> None:
        """Takes up the alerts that were open when the service ended."""
        own = set(rules)
        for alert in self._book.open_alerts():
            if alert.rule in own and not alert.drill:
                trouble = Trouble(alert.rule, alert.subject, alert.severity, {})
                self._cases[alert.rule, alert.subject] = _Case(trouble, alert.opened_ms, now_ms, firing=True)

    def look(self, now_ms: int) -> list[Transition]:
        """One round; what changed is in the book."""
        for case in self._cases.values():  # nothing began after now, where the clock was set back
            case.since_ms, case.seen_ms = min(case.since_ms, now_ms), min(case.seen_ms, now_ms - 1)
        found = [one for number, look in enumerate(self._looks) for one in self._ask(number, look, now_ms)]
        self.troubles, self.looked_ms = tuple(found), self._steady_ms()
        for one in found:
            case = self._cases.setdefault((one.rule, one.subject), _Case(one, now_ms, now_ms))
            case.trouble, case.seen_ms = one, now_ms
        changed = {key: to for key, case in self._cases.items() if (to := _next(case, now_ms)) is not None}
        told = [
            _transition(self._cases[key], now_ms, to)
            for key, to in changed.items()
            if to is not State.INACTIVE
        ]
        if told:
            self._book.take_own(told, now_ms)  # where this fails, the next round tries again
            self._told()
        for key, to in changed.items():
            if to is State.FIRING:
                self._cases[key].firing = True
            else:
                del self._cases[key]
        return told

    def _ask(self, number: int, look: Look, now_ms: int) -> list[Trouble]:
        """What one look finds; that it cannot look is a trouble, too, and hinders no other look."""
        try:
            found = list(look(now_ms))
        except Exception as error:
            part = look.part if isinstance(look, Probe) else "watch"
            if number not in self._failing:
                log.exception("watch.look_failed", part=part)
            self._failing.add(number)
            facts: Facts = {"part": part, "reason": f"{type(error).__name__}: {error}"[:300]}
            return [
                Trouble(own_parts.LOOK_FAILED, part, Level.WARNING, facts, MINUTE_MS, part, Condition.DOWN)
            ]
        self._failing.discard(number)
        return found


def _next(case: _Case, now_ms: int) -> State | None:
    """What *case* turns into now, if into anything; inactive is a case that went before it became an alert."""
    quiet_ms = now_ms - case.seen_ms
    if quiet_ms == 0:
        lasted = now_ms - case.since_ms >= case.trouble.for_ms
        return State.FIRING if lasted and not case.firing else None
    if not case.firing:
        return State.INACTIVE
    return State.RESOLVED if quiet_ms >= STAYS_OVER_MS else None


def _transition(case: _Case, now_ms: int, to_state: State) -> Transition:
    one = case.trouble
    from_state = State.INACTIVE if to_state is State.FIRING else State.FIRING
    evidence = Evidence(facts=one.facts, since_ms=case.since_ms)
    return Transition(now_ms, one.rule, one.subject, from_state, to_state, one.severity, evidence)


class Drift:
    """Notices a wall clock that jumps, against one that cannot. A jump is told for *tell_ms*."""

    def __init__(self, *, tolerance_ms: int = 2 * MINUTE_MS, tell_ms: int = 10 * MINUTE_MS) -> None:
        self._tolerance_ms = tolerance_ms
        self._tell_ms = tell_ms
        self._before: tuple[int, int] | None = None
        self._jumped_ms = 0
        self._told_until_ms = 0

    def continue_from(self, last_ms: int, wall_ms: int, steady_ms: int) -> None:
        """At the start: a wall clock from before *last_ms*, which was reached before, was set back meanwhile."""
        self._before = (max(last_ms, wall_ms), steady_ms)

    def jumped_ms(self, wall_ms: int, steady_ms: int) -> int:
        """By how much the clock jumped lately, 0 when it did not."""
        before, self._before = self._before, (wall_ms, steady_ms)
        if before is not None:
            jump_ms = (wall_ms - before[0]) - (steady_ms - before[1])
            if abs(jump_ms) > self._tolerance_ms:
                self._jumped_ms, self._told_until_ms = jump_ms, steady_ms + self._tell_ms
        return self._jumped_ms if steady_ms < self._told_until_ms else 0
