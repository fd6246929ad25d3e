"""What the service says of itself: alerts that no rule raises, in plain words. Of its files: :mod:`alerts.own.data`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.own import parts as own_parts
from alerts.own.data import LINES as DATA_LINES
from alerts.own.data import WORDS as DATA_WORDS
from campus.campus import Campus
from campus.text import Translate
from campus.text import marked as _
from rules.words.explain import Explanation, explain

#: of every rule's name that is none of :mod:`rules`
OWN_PREFIX = "service."
UNREACHABLE = "service.unreachable"
FOLDER_MISTAKES = "service.folder_mistakes"
RESTART_NEEDED = "service.restart_needed"
JOURNAL_STALLED = "service.journal_stalled"
BROKER_AWAY = "service.broker_away"
BROKER_DROPS = "service.broker_drops"
BROKER_RESTARTED = "service.broker_restarted"
BROKER_DAMAGED = "service.broker_damaged"
SESSION_TAKEN = "service.session_taken"
SESSION_LOST = "service.session_lost"
TOPICS_REFUSED = "service.topics_refused"
STORE_AWAY = "service.store_away"
FLOOD = "service.flood"
DISK_LOW = "service.disk_low"
CLOCK_JUMP = "service.clock_jump"
QUARANTINE_FULL = "service.quarantine_full"
POISON_MESSAGE = "service.poison_message"
POISON_TOPIC = "service.poison_topic"
POISON_RULE = "service.poison_rule"
POISON_CHANNEL = "service.poison_channel"
RULE_FAILED = "service.rule_failed"
CLOCK_WRONG = "service.clock_wrong"
CLOCK_AHEAD = "service.clock_ahead"

#: title and advice of each
_WORDS: dict[str, tuple[str, str]] = DATA_WORDS | {
    UNREACHABLE: (
        _("有告警没能通知到任何人"),
        _("请打开守园页面处理这条告警,并检查群机器人、短信余额和网络;通知渠道恢复后,没有结束的告警会自动补发。"),
    ),
    FOLDER_MISTAKES: (
        _("学校文件夹改得有错,没有生效,继续用原来的"),
        _("运行 shouyuan check 看每一处错误在哪个文件哪一行;改好保存后自动生效。"),
    ),
    RESTART_NEEDED: (_("有设置要重新启动后才生效"), _("方便的时候重新启动守园;在此之前用原来的设置。")),
    JOURNAL_STALLED: (
        _("守园暂停接收数据:本机的数据日志写不进去"),
        _("消息暂由 MQTT 服务器排队保管,队满了会丢。请清理磁盘;历史数据库离线时先恢复它;都正常就在 site.yaml 里调大 journal_quota_mb。看不懂的消息另有限额,不会占这里的空间。"),
    ),
    BROKER_AWAY: (
        _("MQTT 服务器连不上,收不到数据"),
        _("收不到数据期间漏水、冻管、超温都看不到。运行 shouyuan doctor 看是哪一步不通,检查服务器、网络和账号。"),
    ),
    BROKER_DROPS: (
        _("MQTT 服务器丢弃了消息"),
        _("服务器的排队上限太小或守园离线太久;按 docs/brokers.md 调大 max_queued_messages。"),
    ),
    BROKER_RESTARTED: (
        _("自带的 MQTT 服务器停过,已自动重新启动"),
        _("它停下前几秒里收到的消息可能没有存下来。反复出现时,请检查内存和磁盘是否够用,并看数据文件夹 broker 里的日志。"),
    ),
    BROKER_DAMAGED: (
        _("自带的 MQTT 服务器存盘文件损坏,已另存并重新开始"),
        _("损坏前排队等候、守园还没收到的消息可能丢了;设备会照常继续上报。请检查磁盘,另存的文件可以交给维护人员。"),
    ),
    SESSION_TAKEN: (
        _("有另一个程序用守园的客户端编号登录 MQTT 服务器,双方互相顶下线"),
        _("数据被两边分走,告警可能漏报。多半是另一台电脑上也开着守园:请停掉它,或在 site.yaml 里给它换一个 client_id。"),
    ),
    SESSION_LOST: (
        _("MQTT 服务器丢了为守园保管的消息"),
        _("守园离线期间的数据可能缺了一段,现在已恢复接收。请按 docs/brokers.md 打开服务器的持久化(persistence),并把会话保留时间设得比离线时间长。"),
    ),
    TOPICS_REFUSED: (
        _("MQTT 服务器不让守园订阅一些主题"),
        _("这些主题上的设备收不到。给守园的账号放行,或在 site.yaml 的 sources 里只写需要的主题。"),
    ),
    STORE_AWAY: (
        _("历史数据库写不进去,数据暂存在本机"),
        _("告警照常。数据先存在本机,恢复后自动补写,连同断开前两分钟的;请在暂存写满之前恢复数据库。"),
    ),
    FLOOD: (
        _("有设备发消息太快,超出的部分没有处理"),
        _("检查这个主题上的设备:多半是程序出错在反复发送,或上报间隔设得太短。"),
    ),
    DISK_LOW: (_("磁盘快满了"), _("请清理磁盘;写满后守园会暂停接收数据,由 MQTT 服务器保管。")),
    POISON_MESSAGE: (
        _("有一条消息使守园两次意外停止,已隔离"),
        _("其他数据照常处理。请把这条消息和日志交给维护人员;问题解决后在“待登记”页点“再试一次”。"),
    ),
    POISON_TOPIC: (
        _("一个主题上的消息使守园接连意外停止,这个主题暂停处理"),
        _("守园过一会儿会自动再试(先隔 1 分钟,越来越久,最长一天),读得了就自动恢复并补上暂停期间的数据。这之前这个主题上的设备看不到,请人工巡查;其他数据照常。请把日志交给维护人员,也可以在“待登记”页点“再试一次”。"),
    ),
    POISON_RULE: (
        _("一条规则使守园两次意外停止,已在这台设备上暂停"),
        _("守园过一会儿会自动再试(先隔 1 分钟,越来越久,最长一天),正常就自动恢复。这之前这台设备上这条规则不判断,请人工巡查;其他规则和设备照常。请把日志交给维护人员,也可以在“待登记”页点“再试一次”。"),
    ),
    POISON_CHANNEL: (
        _("发送通知使守园多次意外停止,这个渠道上的通知要过一会儿再发"),
        _("有别的渠道的已改走别的渠道,没有的过一会儿自动再发(先隔 1 分钟,越来越久,最长一天)。请检查这个渠道的设置和网络,把日志交给维护人员,也可以在“待登记”页点“再试一次”。"),
    ),
    RULE_FAILED: (
        _("一条规则出错,已在这台设备上重新开始判断"),
        _("正在报的告警不受影响,但规则要重新积累数据。请把原因交给维护人员。"),
    ),
    CLOCK_JUMP: (
        _("本机时间跳变"),
        _("时间不对会让告警时间出错、短信签名被拒;请检查主板电池和自动校时(NTP)。"),
    ),
    QUARANTINE_FULL: (
        _("看不懂的消息太多,旧的已经丢掉"),
        _("正常数据和告警不受影响。到“待登记”页看是哪个设备在发:把它登记、修好或停掉,再点“清空”;要多留一些就在 site.yaml 里调大 quarantine_quota_mb。"),
    ),
    CLOCK_AHEAD: (
        _("本机时间比各设备自带的时间快"),
        _("守园暂按收到的时间判断这些设备,告警照常。请检查本机的自动校时(NTP)和主板电池。"),
    ),
    CLOCK_WRONG: (
        _("本机时间肯定不对,守园暂用自己的时间"),
        _("告警照常判断和发送,但记录的时间不准,短信可能被拒。请检查主板电池和自动校时(NTP),校准后自动恢复。"),
    ),
}  # fmt: skip
_LINES: dict[str, str] = DATA_LINES | {
    "broker": _("服务器 {value}"),
    "topic": _("主题 {value}"),
    "messages": _("{value:.0f} 条消息"),
    "free_gb": _("剩余 {value:.1f} GB"),
    "minutes": _("{value:.0f} 分钟"),
    "clock": _("本机时间 {value}"),
    "mistakes": _("{value:.0f} 处错误"),
    "reason": _("原因:{value}"),
    "file": _("文件 {value}"),
    "times": _("启动以来 {value:.0f} 次"),
    "message": _("未送达:{value}"),
    "rule": _("规则 {value}"),
    "device": _("设备 {value}"),
    "channel": _("渠道 {value}"),
    "deaths": _("意外停止 {value:.0f} 次"),
}


def texts_for(
    rule: str, subject: str, evidence: Mapping[str, Any], campus: Campus, translate: Translate
) -> Explanation:
    """Any alert in words: a rule's by :func:`rules.words.explain.explain`, the service's own by the texts above."""
    own = _WORDS.get(rule) or own_parts.WORDS.get(rule)
    if own is None:
        return explain(rule, subject, evidence, campus, translate)
    title, advice = own
    facts: Mapping[str, Any] = evidence.get("facts", {})
    if "part" in facts:
        facts = {**facts, "part": own_parts.part_name(str(facts["part"]), translate)}
    if "stage" in facts:
        facts = {**facts, "stage": own_parts.stage_name(str(facts["stage"]), translate)}
    texts = own_parts.LINES | _LINES
    lines = tuple(_line(translate(text), facts[key]) for key, text in texts.items() if key in facts)
    return Explanation(translate(title), lines, translate(advice) if advice else "")


def _line(text: str, value: Any) -> str:
    try:
        return text.format(value=value)
    except ValueError:
        return str(value)
