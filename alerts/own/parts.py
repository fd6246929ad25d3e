"""What the service says of its own parts when they do not prove to be well: names, titles, advice."""

from __future__ import annotations

from campus.text import Translate
from campus.text import marked as _

WORKER_STUCK = "service.worker_stuck"
WORKER_ENDED = "service.worker_ended"
WORKER_FAILING = "service.worker_failing"
NOT_PROVEN = "service.not_proven"
LOOK_FAILED = "service.look_failed"
LOOKS_STOPPED = "service.looks_stopped"
JOURNAL_SILENT = "service.journal_silent"
RULES_LATE = "service.rules_late"
CONSUMER_AHEAD = "service.consumer_ahead"
STORE_LATE = "service.store_late"
OUTBOX_LATE = "service.outbox_late"
BROKER_DEAF = "service.broker_deaf"
NO_MESSAGES = "service.no_messages"
SELFTEST_FAILED = "service.selftest_failed"

RULES = (
    WORKER_STUCK,
    WORKER_ENDED,
    WORKER_FAILING,
    NOT_PROVEN,
    LOOK_FAILED,
    LOOKS_STOPPED,
    JOURNAL_SILENT,
    RULES_LATE,
    CONSUMER_AHEAD,
    STORE_LATE,
    OUTBOX_LATE,
    BROKER_DEAF,
    NO_MESSAGES,
    SELFTEST_FAILED,
)

_RESTART = _("重新启动守园;如果反复出现,请把日志交给维护守园的人。")
#: title and advice of each
WORDS: dict[str, tuple[str, str]] = {
    WORKER_STUCK: (_("守园的一个部件卡住不动了"), _RESTART),
    WORKER_ENDED: (_("守园的一个部件意外停止,已自动重新启动"), _RESTART),
    WORKER_FAILING: (_("守园的一个部件反复出错"), _RESTART),
    NOT_PROVEN: (_("守园的一个部件启动后还没有确认正常"), _RESTART),
    LOOK_FAILED: (_("守园的一项自查没能完成"), _RESTART),
    LOOKS_STOPPED: (_("守园的自查停了,各部件是否正常不得而知"), _RESTART),
    JOURNAL_SILENT: (
        _("数据日志不再增长,告警判断停在那一刻"),
        _("漏水、冻管、超温此刻都看不到。请检查磁盘是否已满或损坏,再重新启动守园。"),
    ),
    RULES_LATE: (
        _("告警判断落后,告警会晚到"),
        _("电脑太忙或数据积压时会这样,通常会自己赶上;如果越落越多,请重新启动守园。"),
    ),
    CONSUMER_AHEAD: (
        _("数据日志比处理进度还旧:它被换过或删过,新数据没有处理"),
        _("漏水、冻管、超温此刻都看不到。请停止守园,运行 shouyuan doctor 按提示处理,再启动。"),
    ),
    STORE_LATE: (
        _("历史数据写入落后"),
        _("告警照常,数据暂存在本机;请检查历史数据库是否太慢。"),
    ),
    OUTBOX_LATE: (
        _("有告警消息迟迟没有发出去"),
        _("请马上看值班页上的告警;再检查网络和发送通道的设置,运行 shouyuan doctor。"),
    ),
    BROKER_DEAF: (
        _("已连上 MQTT 服务器,但订阅没有得到确认,收不到数据"),
        _("检查守园账号的订阅权限,运行 shouyuan doctor。"),
    ),
    NO_MESSAGES: (
        _("很久没有收到任何设备的消息"),
        _("检查网关、网络和 MQTT 服务器:所有设备同时没有数据,多半是网络或网关断了。"),
    ),
    SELFTEST_FAILED: (
        _("自检告警没有走完全程:真的告警现在也可能出不来"),
        _("守园定时给自己发一个假读数,它应当在几秒内变成告警。请看停在哪一步,先看值班页上别的告警,再重新启动守园;恢复之前请人工巡查。"),
    ),
}  # fmt: skip
LINES: dict[str, str] = {
    "part": _("部件:{value}"),
    "stage": _("停在:{value}"),
    "seconds": _("已 {value:.0f} 秒"),
    "batches": _("相差 {value:.0f} 批"),
    "times": _("连续 {value:.0f} 次"),
    "waiting": _("{value:.0f} 条等待发送"),
}
_NAMES: dict[str, str] = {
    "broker": _("MQTT 服务器"),
    "ingest": _("数据接收"),
    "journal": _("数据日志"),
    "rules": _("告警判断"),
    "store": _("历史数据库"),
    "outbox": _("告警发送"),
    "disk": _("磁盘"),
    "clock": _("时间"),
    "live": _("页面实时刷新"),
    "keeper": _("清理旧数据"),
    "drills": _("演练"),
    "register": _("设备台账"),
    "watch": _("自查"),
    "watchdog": _("看门狗"),
    "selftest": _("自检告警"),
    "accounts": _("账号整理"),
    "lifeline": _("定时向系统报告运行正常"),
}
_STAGES: dict[str, str] = {
    "waiting": _("发不出去"),
    "published": _("已发出,没有收到"),
    "received": _("已收到,没有写进数据日志"),
    "journaled": _("已写进数据日志,没有判断"),
    "judged": _("已判断,没有记进告警簿"),
    "booked": _("已记进告警簿,没有解除"),
}


def stage_name(stage: str, translate: Translate) -> str:
    """Where the self-test was last seen, as people say it."""
    return translate(_STAGES.get(stage, stage))


def part_name(part: str, translate: Translate) -> str:
    """A part of the service as people call it."""
    return translate(_NAMES.get(part, part))
