"""The rules on the journal, made anew when the campus changes or when one of them goes to rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alerts.book import AlertBook
from campus import selftest
from campus.campus import Campus
from campus.clock import MINUTE_MS
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from rules.selftest import SelfTest
from rules.verdict import Transition
from service.poison.poison_guard import PoisonGuard
from service.runtime.rule_consumer import RuleConsumer
from store.journal.journal import Journal

#: the heartbeat commits a batch every two seconds; no batch for so long means that nobody listened
BLIND_AFTER_MS = 5 * MINUTE_MS


class Judging:
    """*campus* is the register's: drill devices are judged by rules of their own. *on_transitions* hears of alerts."""

    def __init__(
        self,
        journal: Journal,
        book: AlertBook,
        campus: Callable[[], Campus],
        *,
        guard: PoisonGuard,
        trace: selftest.Trace,
        on_transitions: Callable[[Sequence[Transition]], None],
    ) -> None:
        self._campus = campus
        self._guard = guard
        #: each ``rule/subject`` that the engine leaves out, as the service died of it
        self.resting: frozenset[str] = frozenset()
        self.rules = RuleConsumer(
            journal, self._engine(), book, on_transitions=on_transitions, marks=guard.rule_marks, trace=trace
        )
        guard.rule_marks.is_live = lambda: self.rules.recovered

    def judge_anew(self) -> None:
        """By the campus of the moment; rules that went to rest stop judging, those whose rest is over begin."""
        self.rules.swap_engine(self._engine())

    def _engine(self) -> Engine:
        campus = self._campus()
        self.resting = self._guard.rules_at_rest()
        return Engine(
            campus,
            RuleSettings(campus.rules),
            blind_after_ms=BLIND_AFTER_MS,
            set_aside=self.resting,
            marks=self._guard.rule_marks.words,
            internal=[(SelfTest(), selftest.device())],
        )
