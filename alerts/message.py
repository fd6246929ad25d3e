"""What is sent: the same words for every channel, which each cuts to its own limits."""

from __future__ import annotations

import enum

import msgspec

from alerts.alert import Alert
from alerts.decision import Reason
from alerts.own import words_for
from campus.campus import Campus
from campus.clock import from_ms
from campus.text import marked as _
from campus.text import translator
from rules.explain import name_of, place_of
from rules.level import Level


class MessageKind(enum.StrEnum):
    """What a message tells of."""

    ALERT = "alert"
    RESOLVED = "resolved"
    TEST = "test"


class OutgoingMessage(msgspec.Struct, frozen=True):
    """*key* is its number for people and providers; *place* and *what* are short, for text messages."""

    key: str
    kind: MessageKind
    severity: Level
    title: str
    lines: tuple[str, ...] = ()
    advice: str = ""
    place: str = ""
    what: str = ""
    link: str = ""
    drill: bool = False

    def text(self) -> str:
        """All of it as plain text, a line each."""
        parts = [self.title, *self.lines]
        return "\n".join(part for part in (*parts, self.advice, self.link) if part)


_SEVERITY = {Level.NOTICE: _("提醒"), Level.WARNING: _("警告"), Level.CRITICAL: _("紧急")}
_HEADING = _("【{severity}】{title}")
_RESOLVED = _("【已恢复】{title}")
_DRILL = _("【演练】{title}")
_AT = _("时间 {time}")
_NUMBER = _("编号 {number}")


def message_for(alert: Alert, reason: Reason, campus: Campus, *, key: str) -> OutgoingMessage:
    """The message that tells of *alert* for *reason*, in the site's language."""
    translate = translator(campus.site.language)
    words = words_for(alert.rule, alert.subject, alert.evidence, campus, translate)
    resolved = reason is Reason.RESOLVED
    if resolved:
        title = translate(_RESOLVED).format(title=words.title)
    else:
        title = translate(_HEADING).format(severity=translate(_SEVERITY[alert.severity]), title=words.title)
    if alert.drill:
        title = translate(_DRILL).format(title=title)
    when_ms = alert.resolved_ms if resolved and alert.resolved_ms else alert.updated_ms
    time = from_ms(when_ms, campus.site.zone).strftime("%m-%d %H:%M:%S")
    lines = (*words.lines, translate(_AT).format(time=time), translate(_NUMBER).format(number=key))
    public = campus.site.public_url.rstrip("/")
    return OutgoingMessage(
        key=key,
        kind=MessageKind.RESOLVED if resolved else MessageKind.ALERT,
        severity=alert.severity,
        title=title,
        lines=lines,
        advice="" if resolved else words.advice,
        place=place_of(alert.subject, campus),
        what=name_of(alert.subject, campus),
        link=f"{public}/alerts/{alert.id}" if public else "",
        drill=alert.drill,
    )
