"""The service watches itself: what keeps it from its work becomes an alert like any other, and is shown in its health."""

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
from service.trouble import Look, Probe, Trouble

log = structlog.get_logger()

#: a trouble that is over must stay so this long before it is called so
STAYS_OVER_MS = MINUTE_MS


class _Case(msgspec.Struct):
    trouble: Trouble
    since_ms: int
    seen_ms: int
    firing: bool = False


class Watch:
    """Asks *looks* what is wrong, remembers it for whoever asks for the health of *parts*, and opens and ends the alerts."""

    def __init__(
        self,
        book: AlertBook,
        looks: Sequence[Look],
        *,
        parts: Sequence[str] = (),
        notify: Callable[[], None] = lambda: None,
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        self._book = book
        self._looks = looks
        self._notify = notify
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
        troubles = [
            trouble for number, look in enumerate(self._looks) for trouble in self._ask(number, look, now_ms)
        ]
        self.troubles, self.looked_ms = tuple(troubles), self._steady_ms()
        for trouble in troubles:
            key = trouble.rule, trouble.subject
            case = self._cases.setdefault(key, _Case(trouble, now_ms, now_ms))
            case.trouble, case.seen_ms = trouble, now_ms
        changed = {key: to for key, case in self._cases.items() if (to := _next(case, now_ms)) is not None}
        transitions = [
            _transition(self._cases[key], now_ms, to)
            for key, to in changed.items()
            if to is not State.INACTIVE
        ]
        if transitions:
            self._book.take_own(transitions, now_ms)  # where this fails, the next round tries again
            self._notify()
        for key, to in changed.items():
            if to is State.FIRING:
                self._cases[key].firing = True
            else:
                del self._cases[key]
        return transitions

    def _ask(self, number: int, look: Look, now_ms: int) -> list[Trouble]:
        """What one look finds; that it cannot look is a trouble, too, and hinders no other look."""
        try:
            troubles = list(look(now_ms))
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
        return troubles


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
    trouble = case.trouble
    from_state = State.INACTIVE if to_state is State.FIRING else State.FIRING
    evidence = Evidence(facts=trouble.facts, since_ms=case.since_ms)
    return Transition(now_ms, trouble.rule, trouble.subject, from_state, to_state, trouble.severity, evidence)
