"""Which exercises must not be: everything that could hide a real alarm, reach nobody, or show nothing; each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from alerts.alert import Alert
from alerts.drills.drill import Drill, DrillOrder, DrillState
from alerts.own.service import UNREACHABLE
from alerts.routing import GROUP, destinations
from api.ports import DrillRefused
from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, from_ms
from campus.person import PersonRole
from campus.text import marked as _
from rules.catalogue import catalogue
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from rules.level import Level, State
from rules.verdict import Transition
from service.drills.drill_devices import copied
from service.drills.rules import drill_rules
from simulators.drills.exercise import Exercise, by_the_clock
from simulators.errors import ScenarioProblems
from simulators.faults.fault import GatewayDown
from simulators.faults.scenario import Scenario

#: an exercise longer than a day outlasts every shift of those who take part
LONGEST_MS = DAY_MS
FASTEST = 600
_FARTHEST_MS = 60 * DAY_MS
_EARLY_MS = 5 * MINUTE_MS
_LATE_START_MS = 10 * MINUTE_MS
_DUTY = "duty"

NO_SCENARIO = _("没有名为“{name}”的场景。")
BAD_SCENARIO = _("场景文件有错:{problems}")
NO_FAULT = _("场景“{title}”是正常情况,没有要发现的问题,不能演练。")
NO_DEVICE = _("登记表里没有设备“{device}”。")
NO_PLACE = _("学校里没有适合场景“{title}”的设备或楼栋。")
NO_GATEWAY = _("场景“{title}”要网关掉线;演练不动真实的网关,不能演练。")
NOBODY = _("没有选通知谁。至少选一个人。")
NO_PERSON = _("人员表里没有“{person}”。")
NO_ROUTE = _("按 site.yaml 的通知规则,这次演练的告警不会发给任何人。先检查 routes。")
OTHER_DRILL = _("已有演练“{title}”(编号 {number}),时间重叠。同一时间只能有一场演练。")
REAL_CRITICAL = _("现在有真实的紧急告警没有恢复(编号 {number}),演练会分散处置人员。恢复后再演练。")
SHADOWED_ALERT = _("要模仿的设备“{device}”现在有真实告警(编号 {number}),演练会掩盖它。")
NO_RULES = _("这个场景应由规则 {rules} 发现,但这些规则没有启用或不适用于所选设备。")
SILENT = _("试算过:按现在的规则和快慢,这次演练不会产生预期的告警。可改用实际速度,或检查 rules.yaml。")
UNHEARD = _("守园没有订阅演练设备的主题 {topic}。请在 site.yaml 的 sources 里用通配符。")
TOO_LONG = _("演练要 {hours} 小时,最长 {most} 小时。")
TOO_LONG_SLOW = _("演练要 {hours} 小时,最长 {most} 小时。可用快速演练。")
NOT_FAST = _("场景“{title}”按钟点开始,只能按实际速度演练。")
BAD_SPEED = _("速度 {speed} 倍不行,应为 1 到 {most}。")
PAST = _("开始时间 {time} 已经过了。")
TOO_FAR = _("开始时间太远,最多提前 {days} 天安排。")
MISSED_START = _("到开始时间时守园没有运行,错过了。")


def check_order(order: DrillOrder, now_ms: int, campus: Campus) -> None:
    """What the order itself says."""
    if not 1 <= order.speed <= FASTEST:
        raise DrillRefused(BAD_SPEED, speed=order.speed, most=FASTEST)
    if order.start_ms and order.start_ms < now_ms - _EARLY_MS:
        time = from_ms(order.start_ms, campus.site.zone).strftime("%Y-%m-%d %H:%M")
        raise DrillRefused(PAST, time=time)
    if order.start_ms > now_ms + _FARTHEST_MS:
        raise DrillRefused(TOO_FAR, days=_FARTHEST_MS // DAY_MS)
    if order.device and order.device not in campus.devices:
        raise DrillRefused(NO_DEVICE, device=order.device)
    if not order.people:
        raise DrillRefused(NOBODY)
    known = {GROUP, _DUTY, *campus.people, *(role.value for role in PersonRole)}
    for person in order.people:
        if person not in known:
            raise DrillRefused(NO_PERSON, person=person)


def check_punctual(drill: Drill, now_ms: int) -> None:
    """One that was planned begins at its time or not at all."""
    if now_ms - drill.start_ms > _LATE_START_MS:
        raise DrillRefused(MISSED_START)


def check_scenario(scenario: Scenario, order: DrillOrder, language: str) -> None:
    """What the scenario allows."""
    title = scenario.title.of(language)
    if any(isinstance(fault, GatewayDown) for fault in scenario.faults):
        raise DrillRefused(NO_GATEWAY, title=title)
    if not any(fault.expect for fault in scenario.faults):
        raise DrillRefused(NO_FAULT, title=title)
    if order.speed > 1 and by_the_clock(scenario):
        raise DrillRefused(NOT_FAST, title=title)


def check_alone(others: Iterable[Drill], begin_ms: int, ends_ms: int, *, but: int = 0) -> None:
    """No two at a time."""
    for other in others:
        until_ms = (
            other.plan.ends_ms if other.state is DrillState.RUNNING else other.start_ms + _length_ms(other)
        )
        if other.id != but and other.start_ms < ends_ms and begin_ms < until_ms:
            raise DrillRefused(OTHER_DRILL, title=other.plan.title, number=other.id)


def check_calm(alerts: Sequence[Alert], campus: Campus, copies: Mapping[str, str]) -> None:
    """Nothing real that an exercise could hide or keep people from."""
    for alert in alerts:
        if not alert.drill and alert.severity is Level.CRITICAL and alert.rule != UNREACHABLE:
            raise DrillRefused(REAL_CRITICAL, number=alert.id)
    shadowed = set(copies.values())
    for alert in alerts:
        if not alert.drill and alert.subject in shadowed:
            name = campus.device(alert.subject).name
            raise DrillRefused(SHADOWED_ALERT, device=name, number=alert.id)


def check_exercise(exercise: Exercise, order: DrillOrder, campus: Campus, now_ms: int, ends_ms: int) -> None:
    """That it is seen, in time, by rules that speak to somebody."""
    length_ms = ends_ms - exercise.begin_ms
    if length_ms > LONGEST_MS:
        text = TOO_LONG if order.speed > 1 or by_the_clock(exercise.scenario) else TOO_LONG_SLOW
        raise DrillRefused(text, hours=round(length_ms / HOUR_MS), most=LONGEST_MS // HOUR_MS)
    wanted = {rule for expectation in exercise.expectations for rule in expectation.rules}
    if not wanted & _usable(wanted, campus, exercise.copies.values()):
        raise DrillRefused(NO_RULES, rules="、".join(sorted(wanted)))
    notified = [
        destination
        for rule in wanted
        for destination in destinations(rule, Level.CRITICAL, campus, now_ms, resolved=False, to=order.people)
    ]
    if not notified:
        raise DrillRefused(NO_ROUTE)


def rehearse(exercise: Exercise, campus: Campus) -> frozenset[str]:
    """Lets the very same exercise pass through the rules at once, on paper; the topics it publishes on. Uses *exercise* up.

    An exercise whose first expected alert does not come would only teach people that the service says nothing.
    """
    devices = copied(campus, exercise.copies, exercise.speed)
    rules = drill_rules(campus, exercise.copies, exercise.speed)
    drill = Campus(site=campus.site, devices=devices.values(), hours=campus.hours, rules=rules)
    engine = Engine(drill, RuleSettings(rules))
    wanted = [(expectation.rules, Level(expectation.level).rank) for expectation in exercise.expectations]

    def heard(transitions: Sequence[Transition]) -> bool:
        return any(
            transition.to_state is State.FIRING
            and transition.rule in names
            and transition.severity.rank >= rank
            for transition in transitions
            for names, rank in wanted
        )

    topics: set[str] = set()
    for report in exercise.stage.everyone(exercise.begin_ms):
        topics.update(publication.topic for publication in report.publications(campus.site))
        engine.advance(exercise.begin_ms, list(report.readings()))
    for report in exercise.stage.run(exercise.begin_ms, exercise.last_ms):
        if heard(engine.advance(report.sent_ms, list(report.readings()))):
            return frozenset(topics)
    if not heard(engine.advance(exercise.last_ms)):
        raise DrillRefused(SILENT)
    return frozenset(topics)


def scenario_text(error: ScenarioProblems) -> str:
    """Every mistake with its file and key."""
    return "; ".join(f"{problem.where()}: {problem.found} → {problem.expected}" for problem in error.problems)


def _length_ms(drill: Drill) -> int:
    return max(0, drill.plan.ends_ms - drill.start_ms) if drill.plan.ends_ms else HOUR_MS


def _usable(wanted: Iterable[str], campus: Campus, devices: Iterable[str]) -> set[str]:
    """Those of the rules that there are, that are switched on, and that have something to judge."""
    known, settings = catalogue(), RuleSettings(campus.rules)
    judged = [campus.device(device_id) for device_id in devices]
    return {
        name
        for name in wanted
        if name in known
        and any(
            settings.of(known[name], device).params.enabled and known[name].inputs(device, campus)
            for device in judged
        )
    }
