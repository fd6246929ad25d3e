"""The variables of a text-message template: place, device and number, each within the provider's limit."""

from __future__ import annotations

import re

from alerts.message import OutgoingMessage

#: what providers refuse inside a variable (INTEGRATIONS.md 2.1 and 2.2)
_REFUSED = re.compile(r"[【】①-⑳★※→②<>{}\[\]\n\r\t]")

_DRILL = "演练"


def variables(message: OutgoingMessage, most_characters: int) -> tuple[str, str, str]:
    """(place, what, number), never empty, as templates refuse empty variables.

    A template's own words cannot say that it is an exercise, so its first variables do, within any limit.
    """
    mark = _DRILL if message.drill else ""
    place = short(mark + (message.place or message.what).removeprefix(mark), most_characters) or "-"
    what = short(mark + (message.what or message.title).removeprefix(mark), most_characters) or "-"
    return place, what, short(message.key, most_characters) or "-"


def short(text: str, most_characters: int) -> str:
    """*text* without what providers refuse, cut to *most_characters*."""
    return _REFUSED.sub("", text).replace(" ", "")[:most_characters]
