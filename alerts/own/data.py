"""What the service says of its own files: damaged, replaced, put back from a copy."""

from __future__ import annotations

from campus.text import marked as _

JOURNAL_REPLACED = "service.journal_replaced"
JOURNAL_REBUILT = "service.journal_rebuilt"
OPERATIONS_OLDER = "service.operations_older"
OPERATIONS_NEW = "service.operations_new"
OPERATIONS_RESTORED = "service.operations_restored"
STORE_BEHIND = "service.store_behind"
HISTORY_REBUILT = "service.history_rebuilt"
FILE_REBUILT = "service.file_rebuilt"
SITE_CHANGED = "service.site_changed"
DATA_DAMAGED = "service.data_damaged"
DATA_OPEN = "service.data_open"
COPY_FAILED = "service.copy_failed"

#: title and advice of each
WORDS: dict[str, tuple[str, str]] = {
    JOURNAL_REPLACED: (
        _("数据日志换过,或不是和告警库配套的"),
        _("守园已从现在起接着判断,不用处理。换日志前后没来得及判断的数据不会再告警,请到现场看一遍冷柜和水管;如果不是有意换的,查一下谁动过数据文件夹。"),
    ),
    JOURNAL_REBUILT: (
        _("数据日志损坏,已另存并新建"),
        _("接收和告警照常,还能读的数据已搬到新日志。读不出的那几批不会再判断,请到现场看一遍;多半是断电或磁盘老化,请检查磁盘和电源。另存的文件确认不用后可以删。"),
    ),
    OPERATIONS_OLDER: (
        _("告警库是一份旧的备份"),
        _("备份之后的告警记录、确认、账号和演练没有了;仍在发生的异常会再通知一次。请核对账号,补记处理情况。"),
    ),
    OPERATIONS_NEW: (
        _("告警库没有了,已新建"),
        _("以前的告警记录、账号和令牌都没有了;仍在发生的异常会再通知一次。请用启动时显示的一次性登录链接进去,重建账号;有备份就停机后放回 operations.db。"),
    ),
    OPERATIONS_RESTORED: (
        _("告警库损坏,已用最近的自动备份恢复"),
        _("备份之后的告警记录、确认、账号改动没有了;仍在发生的异常会再通知一次。多半是断电或磁盘老化,请检查磁盘和电源。"),
    ),
    STORE_BEHIND: (
        _("历史数据库少了数据,已从本机日志补写"),
        _("告警不受影响。数据日志里还有的已重新写入,更早的补不回来;如果换过数据库或放回过旧备份,这是正常的。"),
    ),
    HISTORY_REBUILT: (
        _("历史数据文件损坏,已另存并新建"),
        _("告警不受影响,曲线从数据日志里还有的部分重新开始。方便时停下守园,运行 shouyuan repair 把旧文件里还能读的数据找回来。"),
    ),
    FILE_REBUILT: (
        _("一个辅助文件损坏,已另存并新建"),
        _("告警和历史不受影响:births 文件会由设备下次上线重建,quarantine 文件里是看不懂的消息。多半是断电或磁盘老化,请检查磁盘和电源。"),
    ),
    SITE_CHANGED: (
        _("数据文件夹是另一所学校的,或学校的 id 改过"),
        _("如果是有意改 id,不用处理。否则请停下守园:数据文件夹拿错了,告警和历史会混在一起。"),
    ),
    DATA_DAMAGED: (
        _("运行中发现数据文件损坏"),
        _("守园还在运行。请尽快重新启动:启动时会把坏文件另存、把能读的找回来;之前可运行 shouyuan doctor --data 看是哪个文件。请检查磁盘和电源。"),
    ),
    DATA_OPEN: (
        _("数据文件夹别的用户也能看,已收紧"),
        _("里面有登录密钥和密码的散列。如果这台机器还有别人能登录,请改管理员密码并让所有人重新登录;收不紧的请用 chmod 700 处理。"),
    ),
    COPY_FAILED: (
        _("告警库的自动备份做不成"),
        _("现在损坏的话就没有新的备份可用。请检查磁盘空间和数据文件夹的权限。"),
    ),
}  # fmt: skip
#: what stands in the facts of these, a line each
LINES: dict[str, str] = {
    "file": _("文件 {value}"),
    "batches": _("{value:.0f} 批数据"),
    "aside": _("另存为 {value}"),
    "copy_time": _("备份时间 {value}"),
    "site": _("学校 {value}"),
}


def rules() -> tuple[str, ...]:
    """The names of all these alerts."""
    return tuple(WORDS)
