"""The operations database's tables. Times are UTC milliseconds; structured columns are JSON."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
#: SQLite numbers rows only in a column declared INTEGER
_Id = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON, int: BigInteger}  # noqa: RUF012 - SQLAlchemy's form


class AlertRow(Base):
    """One alert: a (rule, subject) from firing to resolved."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_open", "rule", "subject", unique=True,
            sqlite_where=text("state != 'resolved'"), postgresql_where=text("state != 'resolved'"),
        ),
        Index("ix_alerts_state_opened", "state", "opened_ms"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    rule: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(200))
    severity: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    opened_ms: Mapped[int]
    updated_ms: Mapped[int]
    acknowledged_ms: Mapped[int | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(80))
    resolved_ms: Mapped[int | None]
    evidence: Mapped[dict[str, Any]]
    historical: Mapped[bool] = mapped_column(Boolean, default=False)
    drill: Mapped[bool] = mapped_column(Boolean, default=False)
    cause: Mapped[str] = mapped_column(Text, default="")
    repair_note: Mapped[str] = mapped_column(Text, default="")


class AlertEventRow(Base):
    """One step in an alert's life: opened, severity changed, acknowledged, resolved, noted."""

    __tablename__ = "alert_events"

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    alert_id: Mapped[int] = mapped_column(_Id, ForeignKey("alerts.id"), index=True)
    time_ms: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(80), default="")
    detail: Mapped[dict[str, Any]]


class OutboxRow(Base):
    """One message to one recipient over one channel; *key* makes writing it twice impossible."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_state_due", "state", "due_ms"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(300), unique=True)
    alert_id: Mapped[int | None] = mapped_column(_Id, ForeignKey("alerts.id"), index=True)
    channel: Mapped[str] = mapped_column(String(80))
    recipient: Mapped[str] = mapped_column(String(200))
    message: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(String(80))
    fallback: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(16), default="pending")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    created_ms: Mapped[int]
    due_ms: Mapped[int]
    sent_ms: Mapped[int | None]
    provider_code: Mapped[str] = mapped_column(String(120), default="")
    provider_text: Mapped[str] = mapped_column(Text, default="")
    provider_id: Mapped[str] = mapped_column(String(120), default="")
    #: an exercise's: waits for everything real
    drill: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


class DrillRow(Base):
    """One exercise: *asked* is what was ordered, *plan* what was worked out of it when it began."""

    __tablename__ = "drills"

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    scenario: Mapped[str] = mapped_column(String(80), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    asked: Mapped[dict[str, Any]]
    plan: Mapped[dict[str, Any]]
    ordered_ms: Mapped[int]
    ordered_by: Mapped[str] = mapped_column(String(80))
    start_ms: Mapped[int]
    began_ms: Mapped[int | None]
    ended_ms: Mapped[int | None]
    ended_by: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(Text, default="")


class ConsumerRow(Base):
    """How far the rule consumer has come: the journal's *seq* whose effects are all in this database."""

    __tablename__ = "consumers"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int]
    time_ms: Mapped[int]


class RuleSnapshotRow(Base):
    """The rule engine's whole state after batch *seq*."""

    __tablename__ = "rule_snapshots"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int]
    taken_ms: Mapped[int]
    state: Mapped[bytes] = mapped_column(LargeBinary)


class DeviceRevisionRow(Base):
    """One change of one device in the register: *before* and *after* hold what differs."""

    __tablename__ = "device_revisions"

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    time_ms: Mapped[int]
    device: Mapped[str] = mapped_column(String(80), index=True)
    change: Mapped[str] = mapped_column(String(16))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    who: Mapped[str] = mapped_column(String(80), default="")


class RegisterRow(Base):
    """The register as it was read last, so that what changed while the service was away is known."""

    __tablename__ = "register"

    device: Mapped[str] = mapped_column(String(80), primary_key=True)
    body: Mapped[dict[str, Any]]


class PhoneMessageRow(Base):
    """A message shown on the built-in phone page."""

    __tablename__ = "phone_messages"

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    outbox_id: Mapped[int | None] = mapped_column(_Id, unique=True)
    time_ms: Mapped[int]
    recipient: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)


class UserRow(Base):
    """Somebody who may sign in. *role*: ``admin``, ``duty`` (may acknowledge) or ``viewer``."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    display_name: Mapped[str] = mapped_column(String(80), default="")
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(200), default="")
    disabled: Mapped[bool] = mapped_column(Boolean, default=False)
    created_ms: Mapped[int]
    last_used_ms: Mapped[int | None]


class SessionRow(Base):
    """A person signed in on one device; ends when it is deleted. Only the hash of the cookie's value is kept."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    cookie_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(_Id, ForeignKey("users.id"), index=True)
    created_ms: Mapped[int]
    last_used_ms: Mapped[int]
    address: Mapped[str] = mapped_column(String(64), default="")
    device: Mapped[str] = mapped_column(String(200), default="")
    #: made by a one-time link, which lets a password be set without the old one for a while
    by_link: Mapped[bool] = mapped_column(Boolean, default=False)


class SignInLinkRow(Base):
    """A one-time sign-in link; only its hash is kept."""

    __tablename__ = "sign_in_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(_Id, ForeignKey("users.id"))
    expires_ms: Mapped[int]
    used_ms: Mapped[int | None]


class ApiTokenRow(Base):
    """A bearer token for programs; only its hash is kept."""

    __tablename__ = "api_tokens"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    scopes: Mapped[list[str]]
    created_ms: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(80), default="")
    expires_ms: Mapped[int | None]
    last_used_ms: Mapped[int | None]
    disabled: Mapped[bool] = mapped_column(Boolean, default=False)


class AuditRow(Base):
    """Who did what, on what (*subject*), from where (*address*)."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(_Id, primary_key=True, autoincrement=True)
    time_ms: Mapped[int] = mapped_column(index=True)
    who: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(64), default="")
    what: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(200), default="")
    detail: Mapped[dict[str, Any]]


class FactRow(Base):
    """What this database knows of the files beside it: which journal it belongs to, which site."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))
