"""User-facing texts: Chinese in the code, English from the catalogue under ``locale/``.

Call ``_`` on whole sentences with named placeholders, ``_("{device} 持续用水 {hours} 小时").format(...)``;
fragments are never glued. The Chinese source text is what is shown when a catalogue lacks an entry.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locale"
Translate = Callable[[str], str]


def marked(text: str) -> str:
    """Marks *text* for the catalogue where it is defined; translated where it is shown."""
    return text


@lru_cache(maxsize=8)
def translator(language: str) -> Translate:
    """The translating function of *language* (``zh_CN`` or ``en``); its catalogue is read once, which takes 20 to 80 ms."""
    catalogue = LOCALES / language / "LC_MESSAGES" / "shouyuan.po"
    if not catalogue.exists():
        return marked
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with catalogue.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled).gettext
