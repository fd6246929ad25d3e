"""Text in a cell of a CSV file: written so that a spreadsheet program takes it for text, and read back unchanged.

Such programs compute what begins with ``=``, ``+``, ``-`` or ``@`` (a device's name may come from a message), and our own
tables take a line that begins with ``#`` for a remark. An apostrophe before it makes it text, as it does when typed.
"""

from __future__ import annotations

import re

_COMPUTED = re.compile(r"'*[=+\-@#\t\r＝＋－＠]")
_ESCAPED = re.compile(r"'+[=+\-@#\t\r＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def cell_of(text: str) -> str:
    """*text* as it stands in a cell; a number stays one."""
    return f"'{text}" if _COMPUTED.match(text) and not _NUMBER.fullmatch(text) else text


def text_of(cell: str) -> str:
    """What a cell says: the inverse of :func:`cell_of`."""
    return cell[1:] if _ESCAPED.match(cell) else cell
