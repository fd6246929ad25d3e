"""Who we are at the embedded broker: a session nobody can guess the name of, and passwords nobody else knows."""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec
import structlog

from service.broker.access import Account
from service.broker.folder import write_private

log = structlog.get_logger()

SERVICE, SIMULATOR = "shouyuan-service", "shouyuan-simulator"
_FILE = "broker-identity.json"


class Identity(msgspec.Struct):
    """*client_id* names our session. *before* is the session of an older version, whose messages are still to be taken."""

    client_id: str
    service_password: str
    simulator_password: str
    before: str = ""

    @property
    def service(self) -> Account:
        """Our own account, which may do everything."""
        return Account(SERVICE, self.service_password, trusted=True)

    @property
    def simulator(self) -> Account:
        """The account of simulated devices, which may publish whatever a device may, and hear nothing."""
        return Account(SIMULATOR, self.simulator_password, publish=("#",))


def identity(data: Path, site_id: str, *, guessable: str, broker_folder: Path) -> Identity:
    """The identity kept in the data folder, made at the first start.

    *guessable* is the client id that older versions used; where they left a session, it is :attr:`Identity.before`.
    """
    path = data / _FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Identity)
    except FileNotFoundError:
        kept = any((broker_folder / name).exists() for name in ("mosquitto.db", "jetstream"))
    except (OSError, msgspec.DecodeError) as error:
        kept = False
        aside = path.with_suffix(".damaged.json")
        log.error("broker.identity_damaged", reason=str(error), set_aside=str(aside))  # noqa: TRY400
        path.replace(aside)
    made = Identity(
        client_id=f"shouyuan-{site_id}-{secrets.token_hex(16)}",
        service_password=secrets.token_urlsafe(32),
        simulator_password=secrets.token_urlsafe(32),
        before=guessable if kept else "",
    )
    keep(data, made)
    return made


def keep(data: Path, what: Identity) -> None:
    """Writes *what*, for our own eyes only."""
    data.mkdir(parents=True, exist_ok=True)
    write_private(data / _FILE, msgspec.json.encode(what).decode())
