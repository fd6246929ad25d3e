"""Rendering of pages: templates, the language, and small formats for people."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates
from markupsafe import Markup

from api.services import Services
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, from_ms
from campus.quantity import SPECS, Quantity
from campus.text import Translate, translator
from campus.text import marked as _

_TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")
LANGUAGES = ("zh_CN", "en")

_AGES = {
    "now": _("刚刚"),
    "minutes": _("{n} 分钟前"),
    "hours": _("{n} 小时前"),
    "days": _("{n} 天前"),
}
_YES_NO = {
    Quantity.DOOR_OPEN: (_("关"), _("开")),
    Quantity.LEAK_DETECTED: (_("干"), _("漏水")),
    Quantity.SWITCH: (_("断开"), _("接通")),
}
_AND = _("、")
_DIGITS = {"m3": 2, "kWh": 1, "kW": 2, "A": 1, "V": 0, "°C": 1, "%": 0, "m3/h": 2, "mA": 0, "1": 2, "kPa": 0}
_UNIT_SIGNS = {"m3": "m³", "m3/h": "m³/h", "1": "", "bool": "", "count": ""}


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page in the reader's language; a ``problem`` is translated with the page's values filled in."""
    services: Services = request.app.state.services
    language = language_of(request, services)
    translate = translator(language)
    problem = values.pop("problem", None)
    response = _TEMPLATES.TemplateResponse(
        request,
        template,
        {
            "_": translate,
            "language": language,
            "site_name": services.campus().site.name,
            "demo": services.demo,
            "drill_running": services.drills.running(),
            "problem": translate(problem).format(**values) if problem else "",
            **values,
        },
        status_code=status,
    )
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        response.set_cookie("lang", chosen, max_age=365 * 24 * 3600, samesite="lax")
    return response


def language_of(request: Request, services: Services) -> str:
    """``?lang=``, else what was chosen before, else the site's."""
    for chosen in (request.query_params.get("lang"), request.cookies.get("lang")):
        if chosen in LANGUAGES:
            return str(chosen)
    return services.campus().site.language


def age(time_ms: int, now_ms: int, translate: Translate) -> str:
    """How long ago, in one rough number."""
    elapsed_ms = max(0, now_ms - time_ms)
    if elapsed_ms < MINUTE_MS:
        return translate(_AGES["now"])
    for key, unit_ms, most in (("minutes", MINUTE_MS, 60), ("hours", HOUR_MS, 48), ("days", DAY_MS, 10**9)):
        if elapsed_ms // unit_ms < most:
            return translate(_AGES[key]).format(n=elapsed_ms // unit_ms)
    return ""


def amount(quantity: Quantity, value: float, translate: Translate) -> str:
    """A value with its unit as people write it."""
    if quantity in _YES_NO:
        return translate(_YES_NO[quantity][int(bool(value))])
    unit = SPECS[quantity].unit
    return f"{value:.{_DIGITS.get(unit, 1)}f} {_UNIT_SIGNS.get(unit, unit)}".strip()


def clock(time_ms: int, services: Services) -> str:
    """Local date and time without the year."""
    return from_ms(time_ms, services.campus().site.zone).strftime("%m-%d %H:%M")


def date(time_ms: int, services: Services) -> str:
    """Local date and time with the year."""
    return from_ms(time_ms, services.campus().site.zone).strftime("%Y-%m-%d %H:%M")


def measured(quantities: Iterable[str], translate: Translate) -> str:
    """What a device measures, in words; a field nobody knows by its own name."""
    names = (translate(SPECS[Quantity(one)].label) if one in SPECS else one for one in quantities)
    return translate(_AND).join(names)


def lines(text: str) -> Markup:
    """Text with its line breaks, escaped."""
    return Markup("<br>").join(text.splitlines())
