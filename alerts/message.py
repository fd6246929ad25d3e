"""What is sent: the same words for every channel, which each cuts to its own limits."""

from __future__ import annotations

import enum

import msgspec

from alerts.alert import Alert
from alerts.decision import ENDINGS, Reason
from alerts.own.service import texts_for
from campus.campus import Campus
from campus.clock import MINUTE_MS, from_ms
from campus.text import Translate, translator
from campus.text import marked as _
from rules.level import Level
from rules.words.explain import name_of, place_of


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


_HOUR_MINUTES = 60
_SEVERITY = {Level.NOTICE: _("提醒"), Level.WARNING: _("警告"), Level.CRITICAL: _("紧急")}
_HEADING = _("【{severity}】{title}")
_RESOLVED = _("【已恢复】{title}")
_ENDED = _("【已结束】{title}")
_WHY_ENDED = {
    Reason.RULE_OFF: _("规则已停用或不再适用于这个设备,守园不再判断;这不表示已经恢复正常。"),
    Reason.DEVICE_GONE: _("设备已从登记表移除,守园不再判断;这不表示已经恢复正常。"),
}
_LASTED_HOURS = _("持续 {hours} 小时 {minutes} 分")
_LASTED_MINUTES = _("持续 {minutes} 分钟")
_DRILL = _("【演练】{title}")
_AT = _("时间 {time}")
_NUMBER = _("编号 {number}")


def message_for(alert: Alert, reason: Reason, campus: Campus, *, key: str) -> OutgoingMessage:
    """The message that tells of *alert* for *reason*, in the site's language."""
    translate = translator(campus.site.language)
    words = texts_for(alert.rule, alert.subject, alert.evidence, campus, translate)
    resolved = reason in ENDINGS
    if resolved:
        title = translate(_RESOLVED if reason is Reason.RESOLVED else _ENDED).format(title=words.title)
    else:
        title = translate(_HEADING).format(severity=translate(_SEVERITY[alert.severity]), title=words.title)
    if alert.drill:
        title = translate(_DRILL).format(title=title)
    when_ms = alert.resolved_ms if resolved and alert.resolved_ms else alert.updated_ms
    time = from_ms(when_ms, campus.site.zone).strftime("%m-%d %H:%M:%S")
    ending = _ending(alert, reason, translate) if resolved else ()
    lines = (*ending, *words.lines, translate(_AT).format(time=time), translate(_NUMBER).format(number=key))
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


def _ending(alert: Alert, reason: Reason, translate: Translate) -> tuple[str, ...]:
    """Why it is over, where it is not well again, and how long it lasted."""
    why = (translate(_WHY_ENDED[reason]),) if reason in _WHY_ENDED else ()
    began_ms = alert.evidence.get("since_ms") or alert.opened_ms
    minutes = max(0, round(((alert.resolved_ms or alert.updated_ms) - began_ms) / MINUTE_MS))
    if minutes >= _HOUR_MINUTES:
        text = translate(_LASTED_HOURS)
        return (*why, text.format(hours=minutes // _HOUR_MINUTES, minutes=minutes % _HOUR_MINUTES))
    return (*why, translate(_LASTED_MINUTES).format(minutes=minutes))
