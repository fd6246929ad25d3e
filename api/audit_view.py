"""Entries of the audit as the page shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from api.accounts import AccountRole, Act, AuditEntry, Scope
from api.accounts.words import ACTS, ROLES, SCOPES
from api.pages import date
from api.services import Services
from campus.text import Translate
from campus.text import marked as _

_AND = _("、")
_SEPARATOR = _(";")
_EXPIRES = _("有效期到 {time}")
_COUNTED = {
    "times": _("{n} 次"),
    "messages": _("{n} 条消息"),
    "sessions": _("{n} 台设备"),
    "mistakes": _("{n} 处错误"),
}
_TOKEN = _("令牌 {name}")
_COMMAND_LINE = _("命令行 {name}")
_SERVICE = _("守园自身")
_ALERT = _("告警 {number}")
_DRILL = _("演练 {number}")
_UNKNOWN = _("没有这个用户")
_KINDS = {"alert": _ALERT, "drill": _DRILL}


class AuditLine(msgspec.Struct, frozen=True):
    """One line in words."""

    time: str
    who: str
    address: str
    act: str
    subject: str
    detail: str


def audit_lines(
    entries: Iterable[AuditEntry], services: Services, translate: Translate
) -> Iterator[AuditLine]:
    """Each entry in a language; an act of an older version by its own name."""
    for one in entries:
        act = translate(ACTS[Act(one.act)]) if one.act in set(Act) else one.act
        yield AuditLine(
            time=date(one.time_ms, services),
            who=_who(one.who, translate),
            address=one.address,
            act=act,
            subject=_subject(one, translate),
            detail=_detail(one, services, translate),
        )


def _who(who: str, translate: Translate) -> str:
    kind, _space, name = who.partition(" ")
    if kind == "token":
        return translate(_TOKEN).format(name=name)
    if who.startswith("command line"):
        return translate(_COMMAND_LINE).format(name=who.removeprefix("command line").strip(" ()")).strip()
    return translate(_SERVICE) if who == "service itself" else who


def _subject(one: AuditEntry, translate: Translate) -> str:
    kind, space, number = one.subject.partition(" ")
    if space and kind in _KINDS and number.isdigit():
        return translate(_KINDS[kind]).format(number=number)
    failed = one.act in {Act.SIGN_IN_FAILED, Act.SIGN_IN_REFUSED}
    return translate(_UNKNOWN) if failed and not one.subject else one.subject


def _detail(one: AuditEntry, services: Services, translate: Translate) -> str:
    """What is known in words, everything else as it was written down."""
    told = (
        _describe(key, value, services, translate)
        for key, value in one.detail.items()
        if value not in (None, "", [], False)
    )
    return translate(_SEPARATOR).join(told)


def _describe(key: str, value: object, services: Services, translate: Translate) -> str:
    if key in _COUNTED and isinstance(value, int):
        return translate(_COUNTED[key]).format(n=value)
    if key == "role" and value in set(ROLES):
        return translate(ROLES[AccountRole(str(value))])
    if key == "scopes" and isinstance(value, list):
        known = (translate(SCOPES[Scope(each)]) for each in value if each in set(SCOPES))
        return translate(_AND).join(known)
    if key == "expires_ms" and isinstance(value, int):
        return translate(_EXPIRES).format(time=date(value, services))
    if key == "device":
        device = services.campus().devices.get(str(value))
        return device.name if device is not None else str(value)
    text = ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
    return f"{key}: {text}"
