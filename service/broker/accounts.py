"""Accounts of single devices and gateways at the embedded broker, made from the register on request.

Kept as hashes in the data folder; a running service takes changes up within seconds. What an account may do follows from
the register of the moment: a device that moves to another address takes its rights along, one that is gone has none.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import structlog

from campus.campus import Campus
from ingest.decoding.own_topics import own_topics
from service.broker.access import Account, pbkdf2
from service.broker.folder import write_private
from service.broker.identity import SERVICE, SIMULATOR
from service.errors import AccountRefused

log = structlog.get_logger()

_NAME = re.compile(r"[\w.\-]{1,64}")
#: the fewest rounds there are: what is hashed is random and long, and nats-server hashes at each connection
_BCRYPT_ROUNDS = 4


class Kept(msgspec.Struct, frozen=True):
    """One account as it is kept: *devices* are ids of the register, *prefixes* beginnings of topics it may publish under."""

    name: str
    pbkdf2: str
    bcrypt: str
    devices: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


class BrokerAccounts:
    """The accounts of a data folder. Whoever changes them writes the whole file, so a reader never sees half."""

    def __init__(self, data: Path) -> None:
        self._path = data / "broker-accounts.json"

    def every(self) -> tuple[Kept, ...]:
        """All there are, by name; raises :class:`AccountRefused` for a file that cannot be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=tuple[Kept, ...])
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as error:
            raise AccountRefused(
                self._path.name, str(error), "the file as 'broker accounts' wrote it"
            ) from error

    def signature(self) -> tuple[int, int]:
        """Changes with the file."""
        try:
            stat = self._path.stat()
        except OSError:
            return 0, 0
        return stat.st_mtime_ns, stat.st_size

    def add(self, name: str, *, devices: Iterable[str] = (), prefixes: Iterable[str] = ()) -> str:
        """Makes the account, or gives it a new password and these rights; the password, which is kept nowhere."""
        if not _NAME.fullmatch(name) or name in {SERVICE, SIMULATOR}:
            raise AccountRefused(
                name, "a name that cannot be used", "1 to 64 letters, digits, '.', '_' or '-'"
            )
        for prefix in prefixes:
            if (
                not prefix.strip("/")
                or any(wildcard in prefix for wildcard in "+#")
                or not prefix.isprintable()
            ):
                raise AccountRefused(
                    prefix, "a prefix that cannot be used", "the beginning of a topic, such as zigbee2mqtt/"
                )
        password = secrets.token_urlsafe(18)
        made = Kept(name, pbkdf2(password), _bcrypt(password), tuple(devices), tuple(prefixes))
        others = [account for account in self.every() if account.name != name]
        self._write([*others, made])
        return password

    def revoke(self, name: str) -> None:
        """Ends the account; whoever uses it is disconnected."""
        every = self.every()
        if all(account.name != name for account in every):
            expected = ", ".join(account.name for account in every) or "none"
            raise AccountRefused(name, "no such account", f"one of {expected}")
        self._write([account for account in every if account.name != name])

    def _write(self, accounts: list[Kept]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        ordered = sorted(accounts, key=lambda account: account.name)
        write_private(self._path, msgspec.json.format(msgspec.json.encode(ordered), indent=1).decode())


def rights(kept: Kept, campus: Campus) -> Account:
    """The account with what it may do by the register of the moment."""
    publish: list[str] = []
    subscribe: list[str] = []
    for device_id in kept.devices:
        device = campus.devices.get(device_id)
        if device is not None:
            own = own_topics(device, campus.site)
            publish += own.publish
            subscribe += own.subscribe
    for prefix in kept.prefixes:
        below = prefix.rstrip("/")
        publish.append(f"{below}/#")
        subscribe += [f"{below}/+/set", f"{below}/+/get", f"{below}/bridge/request/#", f"{below}/command/#"]
    return Account(
        kept.name,
        publish=tuple(dict.fromkeys(publish)),
        subscribe=tuple(dict.fromkeys(subscribe)),
        pbkdf2=kept.pbkdf2,
        bcrypt=kept.bcrypt,
    )


def devices_of(name: str, campus: Campus) -> tuple[str, ...]:
    """The devices an account of the name of a device or gateway speaks for: itself, and those behind it."""
    return tuple(
        device.id
        for device in campus.devices.values()
        if name in {device.id, device.gateway} and own_topics(device, campus.site).publish
    )


class DeviceAccounts:
    """The accounts with their rights for the broker of the moment; a file that cannot be read changes nothing."""

    def __init__(self, data: Path, campus: Callable[[], Campus]) -> None:
        self._accounts = BrokerAccounts(data)
        self._campus = campus
        self._last: tuple[Account, ...] = ()

    def __call__(self) -> tuple[Account, ...]:
        try:
            self._last = tuple(rights(kept, self._campus()) for kept in self._accounts.every())
        except AccountRefused as error:
            log.error("broker.accounts_unreadable", reason=str(error))  # noqa: TRY400
        return self._last


def _bcrypt(password: str) -> str:
    """*password* as nats-server keeps it; only who makes an account needs the library."""
    import bcrypt

    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS, prefix=b"2a"))
    return hashed.decode()
