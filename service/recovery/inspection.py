"""What state each file of a data folder is in, in sentences; nothing is changed."""

from __future__ import annotations

import contextlib
import enum
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from campus.text import marked as _
from ingest.decoding.formats.sparkplug.births import Births
from service.recovery.copies import Copies, made_at
from service.recovery.permissions import wider_than_owner
from store.journal.schema import VERSION as JOURNAL_VERSION
from store.operations.database import known_revisions
from store.quarantine.schema import VERSION as QUARANTINE_VERSION
from store.sqlite.aside import all_set_aside
from store.sqlite.salvage import damage_of, opened
from store.timeseries.embedded.schema import VERSION as HISTORY_VERSION

_LEAST_FREE_BYTES = 1024**3
_MEGABYTE = 1e6


class State(enum.StrEnum):
    """What was found."""

    GOOD = "good"
    #: the service makes it anew, and nothing that mattered was in it
    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    TOO_NEW = "too_new"
    #: not wrong, but somebody should know
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True):
    """One file, its state, and *text* of what it means and what to do; *values* fill the text's placeholders."""

    file: str
    state: State
    text: str
    values: Mapping[str, str | int | float] = {}

    @property
    def good(self) -> bool:
        """Whether nothing needs doing."""
        return self.state in {State.GOOD, State.MISSING, State.NOTE}


_GOOD = _("完好,{megabytes:.1f} MB。")
_DAMAGED = {
    "journal.db": _(
        "损坏({reason})。里面是还没写进历史的数据和接收进度。启动守园或运行 shouyuan repair 会把它另存,搬出还能读的数据,接着用新的。"
    ),
    "operations.db": _(
        "损坏({reason})。里面是告警、账号和令牌。启动守园或运行 shouyuan repair 会用最近的好备份恢复,备份之后的记录没有了。"
    ),
    "timeseries.db": _(
        "损坏({reason})。里面只是历史曲线,告警不靠它。启动守园会另存并新建;shouyuan repair 还会把能读的数据找回来。"
    ),
    "quarantine.db": _("损坏({reason})。里面只是看不懂的消息。启动守园或运行 shouyuan repair 会另存并新建。"),
    "births.msgpack": _(
        "损坏({reason})。里面是 Sparkplug 设备上线时说过的字段名,设备下次上线会重建。启动守园或运行 shouyuan repair 会另存。"
    ),
}
_MISSING = {
    "journal.db": _("没有。启动守园会新建;没来得及写进历史的数据没有了,告警从启动时接着判断。"),
    "operations.db": _(
        "没有。有备份时启动守园会自动恢复最近的一份({copies} 份备份);没有备份就新建,账号要重建。"
    ),
    "timeseries.db": _("没有。启动守园会新建,曲线从数据日志里还有的部分开始;用别的历史数据库时本来就没有。"),
    "quarantine.db": _("没有。启动守园会新建,不影响数据。"),
    "births.msgpack": _("没有。没有 Sparkplug 设备时本来就没有。"),
}
_UNREADABLE = _(
    "打不开({reason})。守园要求自己是数据文件夹的主人并且可写:检查权限(chown、chmod 700)、是否只读挂载。"
)
_TOO_NEW = _(
    "是更新版本写的(版本 {found},本程序认识到 {expected})。请升级守园,或放回这个版本做的备份;不要删。"
)
_UNFINISHED = _(
    "损坏的旧文件,{megabytes:.1f} MB。shouyuan repair 会再找一遍能读的历史数据;确认不用后可以删。"
)
_COPIES = _("{copies} 份告警库备份,最近一份 {newest}。")
_NO_COPIES = _("还没有告警库备份;守园每小时和停止时各做一份。")
_WIDE = _(
    "别的用户也能看({files})。里面有登录密钥和密码的散列;运行 chmod -R go-rwx {folder},启动守园也会自动收紧。"
)
_READ_ONLY = _("写不进去({reason})。检查权限、是否只读挂载、磁盘是否已坏。")
_FULL = _("所在磁盘只剩 {free:.2f} GB,写满后守园会暂停接收数据。请清理。")
_FOLDER_GOOD = _("可写,剩余 {free:.0f} GB。")
_NO_FOLDER = _("没有这个文件夹;启动守园会新建。")
_IN_USE = _("守园正在用这个文件夹:现在只能看,修复要先停下守园。")


def inspect(data: Path, *, in_use: bool = False) -> Iterator[Finding]:
    """Looks at everything in the data folder; a large file may take a while, as it is read as a whole."""
    if not data.is_dir():
        yield Finding(str(data), State.MISSING, _NO_FOLDER)
        return
    yield _folder(data)
    if in_use:
        yield Finding("lock", State.NOTE, _IN_USE)
    wide = wider_than_owner(data)
    if wide:
        values = {"files": ", ".join(path.name for path in wide[:5]), "folder": str(data)}
        yield Finding(str(data), State.DAMAGED, _WIDE, values)
    copies = Copies(data, data / "operations.db").all()
    for name, version, known in (
        ("journal.db", _user_version, JOURNAL_VERSION),
        ("operations.db", None, 0),
        ("timeseries.db", _user_version, HISTORY_VERSION),
        ("quarantine.db", _user_version, QUARANTINE_VERSION),
    ):
        yield _database(data / name, version, known, copies=len(copies))
    yield _births(data / "births.msgpack")
    newest: dict[str, str | int | float] = {
        "copies": len(copies),
        "newest": made_at(copies[0]) if copies else "",
    }
    yield Finding("copies", State.NOTE, _COPIES if copies else _NO_COPIES, newest)
    for aside in all_set_aside(data):
        yield Finding(aside.name, State.NOTE, _UNFINISHED, _size(aside))


def _folder(data: Path) -> Finding:
    try:
        beside = data / f".doctor-{os.getpid()}"
        beside.write_bytes(b"")
        beside.unlink()
        free_bytes = shutil.disk_usage(data).free
    except OSError as error:
        return Finding(str(data), State.UNREADABLE, _READ_ONLY, {"reason": error.strerror or str(error)})
    free = {"free": free_bytes / 1024**3}
    if free_bytes < _LEAST_FREE_BYTES:
        return Finding(str(data), State.DAMAGED, _FULL, free)
    return Finding(str(data), State.GOOD, _FOLDER_GOOD, free)


def _database(
    path: Path, version: Callable[[sqlite3.Connection], int] | None, known: int, *, copies: int
) -> Finding:
    if not path.exists():
        return Finding(path.name, State.MISSING, _MISSING[path.name], {"copies": copies})
    try:
        damage = damage_of(path, most_bytes=1 << 62)
        if damage:
            return Finding(path.name, State.DAMAGED, _DAMAGED[path.name], {"reason": damage})
        with contextlib.closing(opened(path)) as connection:
            found = version(connection) if version is not None else _unknown_revision(connection)
    except (sqlite3.Error, OSError) as error:
        return Finding(path.name, State.UNREADABLE, _UNREADABLE, {"reason": str(error)})
    if isinstance(found, str) and found:
        newest = max(known_revisions())
        return Finding(path.name, State.TOO_NEW, _TOO_NEW, {"found": found, "expected": newest})
    if isinstance(found, int) and found > known:
        return Finding(path.name, State.TOO_NEW, _TOO_NEW, {"found": found, "expected": known})
    return Finding(path.name, State.GOOD, _GOOD, _size(path))


def _births(path: Path) -> Finding:
    try:
        Births().restore(path.read_bytes())
    except FileNotFoundError:
        return Finding(path.name, State.MISSING, _MISSING[path.name])
    except ValueError as error:
        return Finding(path.name, State.DAMAGED, _DAMAGED[path.name], {"reason": str(error)})
    except OSError as error:
        return Finding(path.name, State.UNREADABLE, _UNREADABLE, {"reason": str(error)})
    return Finding(path.name, State.GOOD, _GOOD, _size(path))


def _user_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _unknown_revision(connection: sqlite3.Connection) -> str:
    """The revision of the tables, "" for one that this program knows or a database without any."""
    query = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    if connection.execute(query).fetchone() is None:
        return ""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return "" if row is None or row[0] in known_revisions() else str(row[0])


def _size(path: Path) -> dict[str, str | int | float]:
    return {"megabytes": path.stat().st_size / _MEGABYTE}
