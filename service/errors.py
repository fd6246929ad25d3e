"""The errors of the service as a whole.

ServiceError
├── BrokerUnavailable     no embedded broker could be started; says what was tried
├── AccountRefused        an account of the embedded broker cannot be made, found or read
├── DataInUse             another service is running on the same data folder
├── NoDataFolder          a data folder that was named is not there
├── DatabaseAway          the server of the operations database does not answer at a start
├── DataUnusable          a file of the data folder can be neither used nor set aside
├── NoCampusFolder        the campus was not read from a folder, so there is no register or calendar to edit
├── NoReadings            there is nothing to replay in a file or a store
├── PageExposed           the page would listen to a network without encryption; names the remedies
├── ProxyUnknown          what should be a proxy's address is none
├── CertificateUnusable   the page's certificate or key cannot be read or do not fit
├── PortTaken             the page's address cannot be listened on
├── AuditWaiting          acts that the operations database does not take into the audit
└── DemoMissing           the demonstration's campus folder is not where it should be
"""

from __future__ import annotations

from pathlib import Path


class ServiceError(Exception):
    """Base of every error this room raises."""


class BrokerUnavailable(ServiceError):
    """Raised when the embedded broker does not come up."""

    def __init__(self, tried: str, reason: str) -> None:
        self.tried = tried
        self.reason = reason
        super().__init__(f"the embedded broker ({tried}) did not start: {reason}")


class AccountRefused(ServiceError):
    """Raised where an account of the embedded broker is not what it must be."""

    def __init__(self, what: str, found: str, expected: str) -> None:
        super().__init__(f"{what}: {found}; expected {expected}")


class DataInUse(ServiceError):
    """Raised when the data folder is locked by a running service."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is in use by another running shouyuan; stop it, or choose another --data folder"
        )


class NoDataFolder(ServiceError):
    """Raised where a command is to read an embedded store in a folder that is not there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder}: no such folder; expected a service's data folder")


class DatabaseAway(ServiceError):
    """Raised where the operations database is a server's and cannot be reached when the service starts."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the operations database {url} cannot be reached: {reason.strip()}; start it, or mend SHOUYUAN_DATABASE_URL."
            " Until then messages wait at the broker"
        )


class DataUnusable(ServiceError):
    """Raised where no recovery helps: no permission, a file system that is full or read-only, a folder in a file's place."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} cannot be used: {reason}; the service needs a data folder that it owns and may write, with free"
            f" space. Run 'shouyuan doctor --data {path.parent}' for details"
        )


class AuditWaiting(ServiceError):
    """Raised when entries of the audit could not be written; they are kept and tried again."""

    def __init__(self, entries: int) -> None:
        super().__init__(
            f"{entries} entries of the audit could not be written yet; see audit.waiting in the log"
        )


class NoReadings(ServiceError):
    """Raised where a history holds nothing."""

    def __init__(self, where: str, which: str) -> None:
        super().__init__(f"{where}: no readings {which}; expected at least one")


class DemoMissing(ServiceError):
    """Raised when the demonstration's campus is not beside the program."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"the demonstration campus {folder} is missing; run from a checkout, or use --campus"
        )


class NoCampusFolder(ServiceError):
    """Raised where the register or calendar of a campus without a folder should be read again or edited."""

    def __init__(self) -> None:
        super().__init__(
            "this campus has no folder (the demonstration); start with --campus DIR to edit its register and calendar"
        )


class PageExposed(ServiceError):
    """Raised where the page would listen beyond this machine without a certificate or a proxy that has one."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"页面要在 {host or '所有地址'} 上监听,但没有加密,密码会在网络上明文传输。三选一(见 docs/https.md):"
            "① 只在本机监听(--host 127.0.0.1),由反向代理提供 HTTPS;② --behind-proxy 代理的地址;"
            "③ --tls-cert 证书 --tls-key 私钥\n"
            f"the page would listen on {host or 'every address'} without encryption, so that passwords cross the network in "
            "clear. Expected one of (docs/https.md): --host 127.0.0.1 with a reverse proxy on this machine; "
            "--behind-proxy ADDRESS of the proxy; --tls-cert FILE --tls-key FILE"
        )


class ProxyUnknown(ServiceError):
    """Raised where a proxy's address is none."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"behind-proxy is {found!r}; expected addresses or networks such as 127.0.0.1 or 192.168.1.0/28"
        )


class CertificateUnusable(ServiceError):
    """Raised where the page's certificate cannot be used."""

    def __init__(self, which: object, reason: str) -> None:
        super().__init__(
            f"页面的证书用不了 / the page's certificate cannot be used: {which}: {reason}; expected PEM files by "
            "--tls-cert and --tls-key"
        )


class PortTaken(ServiceError):
    """Raised where the page cannot listen on the address that was asked for."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"不能在 {host}:{port} 上监听 / cannot listen on {host}:{port}: {reason}; choose another --port, or 0 for a free one"
        )
