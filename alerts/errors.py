"""The errors of the alerts.

AlertsError
├── NoSuchAlert       no alert has that number
├── NoSuchDrill       no exercise has that number
├── AlertOver         the alert is resolved and cannot be acknowledged any more
└── BadCursor         a place in the list of alerts is not written as one
"""

from __future__ import annotations


class AlertsError(Exception):
    """Base of every error this room raises."""


class NoSuchAlert(AlertsError):
    """Raised for an alert's number that does not exist."""

    def __init__(self, alert_id: int) -> None:
        self.alert_id = alert_id
        super().__init__(f"there is no alert {alert_id}")


class NoSuchDrill(AlertsError):
    """Raised for an exercise's number that does not exist."""

    def __init__(self, drill_id: int) -> None:
        self.drill_id = drill_id
        super().__init__(f"there is no drill {drill_id}")


class AlertOver(AlertsError):
    """Raised when somebody acknowledges what is resolved already."""

    def __init__(self, alert_id: int) -> None:
        self.alert_id = alert_id
        super().__init__(f"alert {alert_id} is resolved already")


class BadCursor(AlertsError):
    """Raised for text that is no place in the list of alerts."""

    expected = "the cursor of an alert of the list, such as 0.3.17"

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no place in the list of alerts; expected {self.expected}")
