"""The errors of the service as a whole.

ServiceError
├── BrokerUnavailable     no embedded broker could be started; says what was tried
├── DataInUse             another service is running on the same data folder
├── NoCampusFolder        the campus was not read from a folder, so there is no register or calendar to edit
├── NoReadings            there is nothing to replay in a file or a store
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


class DataInUse(ServiceError):
    """Raised when the data folder is locked by a running service."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is in use by another running shouyuan; stop it, or choose another --data folder"
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
