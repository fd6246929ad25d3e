"""Every open alert belongs to a rule that will see its end; those that belong to none are orphans."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.alert import Alert
from alerts.own.service import OWN_PREFIX
from rules.engine.engine import Engine


def orphans(engine: Engine, open_alerts: Sequence[Alert]) -> list[int]:
    """The numbers of those alerts that nobody will end. Alerts that *engine* can take up are adopted by it."""
    firing = engine.firing()
    return [
        alert.id
        for alert in open_alerts
        if not alert.rule.startswith(OWN_PREFIX)
        and (alert.rule, alert.subject) not in firing
        and not engine.rests(alert.rule, alert.subject)  # it will judge again, and see the end
        and not engine.adopt(alert.rule, alert.subject, alert.severity, alert.opened_ms)
        and not alert.drill  # an exercise's, whose own rules judge it
    ]
