"""An exercise's record as a sheet of words: what the page shows, the printer prints and the workbook holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import sqlalchemy as sa

from alerts.drills.drill import Drill
from alerts.drills.record import Record, earlier_of, record_of
from alerts.drills.score import Deed, Verdict
from api.drills.words import (
    DEEDS,
    LEVELS,
    STATES,
    line,
    recipient,
    span,
    speed_text,
    title_of,
    verdict_label,
    wanted,
)
from campus.campus import Campus
from campus.clock import from_ms
from campus.text import Translate
from campus.text import marked as _

_FACTS = {
    "state": _("结果"),
    "when": _("时间"),
    "scenario": _("场景"),
    "place": _("地点和设备"),
    "how": _("方式"),
    "speed": _("速度"),
    "people": _("参加人员"),
    "by": _("组织人"),
    "score": _("评分"),
    "reason": _("说明"),
}
_SCORE = _("{passed} / {due} 项达到")
_ANNOUNCED, _SURPRISE = _("事先通知"), _("突击(不事先通知)")
_COMPRESSED = _(
    "快速演练:设备的物理过程和规则的延时都缩短到实际的 1/{speed};发现的用时已换算成场景里的时间,其余环节是实际时间。"
)
_PARALLEL = _("演练设备与真实设备同时运行;它们的数据和告警不计入统计、用量、报表和基线。")


class Around(Protocol):
    """What a record is worked out with; the API's services are one."""

    @property
    def database(self) -> sa.Engine: ...

    @property
    def campus(self) -> Callable[[], Campus]: ...

    @property
    def now_ms(self) -> Callable[[], int]: ...


class Row(msgspec.Struct, frozen=True):
    """A line with its verdict: what, when, how long, by whom or how long was allowed."""

    what: str
    verdict: str
    word: str
    time: str = ""
    after: str = ""
    other: str = ""


class AlertRow(msgspec.Struct, frozen=True):
    """An alert of it, as somebody deals with it on the page."""

    id: int
    title: str
    cause: str
    repair_note: str


class Sheet(msgspec.Struct, frozen=True):
    """All of it, in the reader's language."""

    id: int
    title: str
    description: str
    state: str
    over: bool
    facts: tuple[tuple[str, str], ...]
    expected: tuple[Row, ...]
    deeds: tuple[Row, ...]
    missed: tuple[str, ...]
    story: tuple[tuple[str, str], ...]
    earlier: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...]
    alerts: tuple[AlertRow, ...]


def sheet_of(around: Around, drill: Drill, translate: Translate) -> Sheet:
    """The record of one exercise."""
    now_ms = around.now_ms()
    record = record_of(around.database, drill, now_ms)
    expected, deeds = _expected(around, record, translate), _deeds(around, record, translate)
    remarks = [translate(_COMPRESSED).format(speed=drill.asked.speed)] if drill.asked.speed > 1 else []
    campus = around.campus()
    lines = [(moment.time_ms, line(moment, drill, campus, translate)) for moment in record.story]
    return Sheet(
        id=drill.id,
        title=drill.plan.title,
        description=drill.plan.description,
        state=drill.state.value,
        over=drill.over,
        facts=tuple(_facts(around, record, translate)),
        expected=expected,
        deeds=deeds,
        missed=tuple(
            one.what for one in (*expected, *deeds) if one.verdict in {Verdict.MISSED, Verdict.LATE}
        ),
        story=tuple((_moment(around, at_ms)[5:], text) for at_ms, text in lines if text),
        earlier=tuple(
            _compared(around, one, translate) for one in [record, *earlier_of(around.database, drill, now_ms)]
        ),
        remarks=(*remarks, translate(_PARALLEL)),
        alerts=_alerts(around, record, translate),
    )


def summary(around: Around, drill: Drill, translate: Translate) -> tuple[str, str, str, str]:
    """State, time, how, and score, for a list."""
    record = record_of(around.database, drill, around.now_ms())
    score = translate(_SCORE).format(passed=record.score.passed, due=record.score.due)
    return (
        translate(STATES[drill.state]),
        _moment(around, drill.began_ms or drill.start_ms),
        f"{_how(drill, translate)} · {speed_text(drill, translate)}",
        score if drill.began_ms is not None else "–",
    )


def _facts(around: Around, record: Record, translate: Translate) -> list[tuple[str, str]]:
    drill, plan, site = record.drill, record.drill.plan, around.campus().site
    buildings = [found.name if (found := site.building(one)) else one for one in plan.buildings]
    until = f" – {_moment(around, drill.ended_ms)[11:]}" if drill.ended_ms is not None else ""
    values = {
        "state": translate(STATES[drill.state]),
        "when": _moment(around, drill.began_ms or drill.start_ms) + until,
        "scenario": f"{plan.title}({drill.asked.scenario})",
        "place": "、".join(buildings) + ":" + "、".join(plan.names.values()),
        "how": _how(drill, translate),
        "speed": speed_text(drill, translate),
        "people": "、".join(recipient(one, translate) for one in plan.people),
        "by": drill.ordered_by,
        "score": translate(_SCORE).format(passed=record.score.passed, due=record.score.due),
        "reason": drill.reason,
    }
    return [(translate(_FACTS[key]), value) for key, value in values.items() if value]


def _how(drill: Drill, translate: Translate) -> str:
    return translate(_ANNOUNCED if drill.asked.announced else _SURPRISE)


def _expected(around: Around, record: Record, translate: Translate) -> tuple[Row, ...]:
    return tuple(
        Row(
            what=f"{wanted(one, record.heard, record.drill, around.campus(), translate)} · "
            f"{translate(LEVELS[one.planned.level])}",
            verdict=one.verdict.value,
            word=verdict_label(one.verdict, record.drill, translate),
            after=span(one.after_ms, translate),
            other=span(one.allowed_ms, translate),
        )
        for one in record.score.expected
    )


def _deeds(around: Around, record: Record, translate: Translate) -> tuple[Row, ...]:
    return tuple(
        Row(
            what=translate(DEEDS[one.deed]),
            verdict=one.verdict.value,
            word=verdict_label(one.verdict, record.drill, translate),
            time=_moment(around, one.time_ms)[11:] if one.time_ms is not None else "–",
            after=span(one.after_ms, translate),
            other="、".join(recipient(name, translate) for name in one.who) or "–",
        )
        for one in record.score.done
    )


def _compared(around: Around, record: Record, translate: Translate) -> tuple[str, ...]:
    """Number, time, how, and how long each deed took."""
    score = record.score
    return (
        str(record.drill.id),
        _moment(around, record.drill.began_ms or record.drill.start_ms)[:16],
        translate(STATES[record.drill.state]),
        speed_text(record.drill, translate),
        *(span(score.deed(one).after_ms, translate) for one in Deed),
        f"{score.passed}/{score.due}",
    )


def _alerts(around: Around, record: Record, translate: Translate) -> tuple[AlertRow, ...]:
    found: list[AlertRow] = []
    for one in record.heard:
        notes: Sequence[tuple[str, str]] = [
            (act.cause, act.repair_note) for act in one.acts if act.kind == "noted"
        ]
        cause, repair_note = notes[-1] if notes else ("", "")
        title = title_of(one.rule, one.subject, record.drill, around.campus(), translate)
        found.append(AlertRow(one.id, title, cause, repair_note))
    return tuple(found)


def _moment(around: Around, time_ms: int) -> str:
    return from_ms(time_ms, around.campus().site.zone).strftime("%Y-%m-%d %H:%M:%S")
