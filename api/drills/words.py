"""The words of an exercise's record: states, deeds, verdicts, and every line of its story."""

from __future__ import annotations

from alerts.drills.drill import Drill, DrillState
from alerts.drills.record import Moment
from alerts.drills.score import Deed, Expected, Heard, Verdict
from alerts.own.service import texts_for
from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from campus.person import PersonRole
from campus.text import Translate
from campus.text import marked as _

STATES = {
    DrillState.PLANNED: _("已安排"),
    DrillState.RUNNING: _("进行中"),
    DrillState.DONE: _("已完成"),
    DrillState.STOPPED: _("人工停止"),
    DrillState.ABORTED: _("中止"),
    DrillState.REFUSED: _("未能进行"),
}
DEEDS = {
    Deed.NOTICED: _("发现(系统告警)"),
    Deed.TOLD: _("通知(消息发出)"),
    Deed.READ: _("看到(打开链接或页面)"),
    Deed.ACKNOWLEDGED: _("接手(点“我来处理”)"),
    Deed.HANDLED: _("处置(写明原因和处理)"),
}
VERDICTS = {
    Verdict.MET: _("达到"),
    Verdict.LATE: _("超时"),
    Verdict.MISSED: _("缺"),
    Verdict.OPEN: _("待定"),
}
_CUT_OFF = _("未做完")
LEVELS = {"notice": _("提醒"), "warning": _("警告"), "critical": _("紧急")}
RECIPIENTS = {
    "group": _("群"),
    "duty": _("值班人员"),
    PersonRole.DIRECTOR.value: _("主任"),
    PersonRole.ELECTRICIAN.value: _("电工"),
    PersonRole.PLUMBER.value: _("水工"),
    PersonRole.CANTEEN.value: _("食堂"),
}
_STORY = {
    "ordered": _("{who} 安排演练"),
    "began": _("演练开始"),
    "fault": _("模拟的故障开始:{devices}"),
    "opened": _("系统发现({level}):{title}"),
    "severity": _("级别变为{level}:{title}"),
    "sent": _("经 {channel} 通知 {who}"),
    "not_sent": _("经 {channel} 没能通知 {who}:{failed}"),
    "read": _("{who} 打开了告警"),
    "acknowledged": _("{who} 接手处理"),
    "noted": _("{who} 记录:原因“{cause}”,处理“{repair_note}”"),
    "resolved": _("告警结束:{title}"),
    "done": _("演练完成"),
    "stopped": _("{who} 停止演练"),
    "aborted": _("演练中止:{reason}"),
    "refused": _("没有进行:{reason}"),
}
_SECONDS, _MINUTES, _HOURS = _("{s} 秒"), _("{m} 分 {s} 秒"), _("{h} 小时 {m} 分")
_OR = _("{one} 或 {other}")
_REAL_TIME, _FAST = _("实际速度"), _("快速 ×{speed}")


def span(length_ms: int | None, translate: Translate) -> str:
    """A while, for people."""
    if length_ms is None:
        return "–"
    h, m, s = length_ms // HOUR_MS, length_ms // MINUTE_MS, length_ms // SECOND_MS
    if m < 1:
        return translate(_SECONDS).format(s=s)
    if h < 1:
        return translate(_MINUTES).format(m=m, s=s % 60)
    return translate(_HOURS).format(h=h, m=m % 60)


def speed_text(drill: Drill, translate: Translate) -> str:
    """How fast it ran."""
    speed = drill.asked.speed
    return translate(_REAL_TIME if speed == 1 else _FAST).format(speed=speed)


def verdict_label(verdict: Verdict, drill: Drill, translate: Translate) -> str:
    """What became of an item; one that was cut off is neither met nor missed."""
    return translate(_CUT_OFF if verdict is Verdict.OPEN and drill.over else VERDICTS[verdict])


def recipient(name: str, translate: Translate) -> str:
    """Somebody chosen, by name."""
    return translate(RECIPIENTS[name]) if name in RECIPIENTS else name


def title_of(rule: str, subject: str, drill: Drill, campus: Campus, translate: Translate) -> str:
    """What a rule says, of the device that was stood in for: the copy itself is gone when the exercise is over."""
    return texts_for(rule, drill.plan.copies.get(subject, subject), {}, campus, translate).title


def wanted(
    one: Expected, heard: tuple[Heard, ...], drill: Drill, campus: Campus, translate: Translate
) -> str:
    """What was expected, in a line."""
    found = next((alert for alert in heard if alert.id == one.alert_id), None)
    if found is not None:
        return title_of(found.rule, found.subject, drill, campus, translate)
    titles = list(one.planned.rules)
    if len(one.planned.subjects) == 1:
        titles = [title_of(rule, one.planned.subjects[0], drill, campus, translate) for rule in titles]
    words, *others = dict.fromkeys(titles)
    for other in others:
        words = translate(_OR).format(one=words, other=other)
    return words


def line(moment: Moment, drill: Drill, campus: Campus, translate: Translate) -> str:
    """A line of the story; empty for a step that needs no line of its own."""
    text = _STORY.get(moment.kind)
    if text is None:
        return ""
    detail = moment.detail
    names = [drill.plan.names.get(one, one) for one in detail.get("devices", [])]
    level = str(detail.get("level", ""))
    title = title_of(detail["rule"], detail["subject"], drill, campus, translate) if "rule" in detail else ""
    return translate(text).format(
        who=recipient(moment.who, translate),
        devices="、".join(names[:6]) + ("…" if len(names) > 6 else ""),
        level=translate(LEVELS[level]) if level in LEVELS else level,
        title=title,
        channel=detail.get("channel", ""),
        failed=detail.get("failed", ""),
        cause=detail.get("cause", ""),
        repair_note=detail.get("repair_note", ""),
        reason=detail.get("reason", ""),
    )
