"""The school calendar: terms, holidays, make-up workdays, exam weeks, and each building's opening hours.

Terms beat the national calendar: a make-up workday within the winter break is no school day (DOMAIN.md 5).
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field, model_validator

from campus.clock import DAY_MS, from_ms, to_ms
from campus.national_days import DayKind, day_kind
from campus.opening import Opening

_LOOK_BACK_DAYS = 400
#: local times at which something is open, half open; one that ends before it starts runs past midnight
Window = tuple[dt.time, dt.time]

_DEFAULT_HOURS: dict[str, dict[str, list[str]]] = {
    "teaching": {"school_day": ["06:30-22:00"]},
    "office": {"school_day": ["07:30-18:30"]},
    "sports": {"school_day": ["06:00-21:30"]},
    "canteen": {"school_day": ["04:30-20:00"], "term_weekend": ["05:30-19:30"]},
    "dormitory": {"school_day": ["00:00-24:00"], "term_weekend": ["00:00-24:00"]},
    "boiler_house": {
        "school_day": ["00:00-24:00"],
        "term_weekend": ["00:00-24:00"],
        "vacation": ["00:00-24:00"],
    },
    "other": {"school_day": ["07:00-20:00"]},
}
_DAY_SCHOOL_DORMITORY: dict[str, list[str]] = {"school_day": ["00:00-24:00"]}


class Span(BaseModel):
    """Days from one to another, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = ""
    start: dt.date = Field(alias="from")
    end: dt.date = Field(alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Span:
        if self.end < self.start:
            raise ValueError(f"to ({self.end}) lies before from ({self.start})")
        return self

    def __contains__(self, day: dt.date) -> bool:
        return self.start <= day <= self.end


class CalendarSettings(BaseModel):
    """All of calendar.yaml. Hours are by building use or building id, then by kind of day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    boarding: bool = True
    terms: list[Span] = Field(default_factory=list)
    holidays: list[Span] = Field(default_factory=list)
    school_days: list[dt.date] = Field(default_factory=list)
    exam_weeks: list[Span] = Field(default_factory=list)
    hours: dict[str, dict[str, list[str]]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _readable_hours(self) -> CalendarSettings:
        for name, kinds in self.hours.items():
            for kind, windows in kinds.items():
                if kind not in {"school_day", "term_weekend", "vacation", "holiday"}:
                    raise ValueError(
                        f"hours.{name}.{kind}: expected school_day, term_weekend, vacation or holiday"
                    )
                for text in windows:
                    parse_window(text)
        return self


class SchoolCalendar:
    """Answers ``opening`` for any building and time; windows of a day are worked out once."""

    def __init__(self, settings: CalendarSettings, uses: Mapping[str, str], zone: zoneinfo.ZoneInfo) -> None:
        self._settings = settings
        self._uses = dict(uses)
        self._zone = zone
        self._spans = functools.lru_cache(maxsize=4096)(self._spans_of)
        self._school_days = frozenset(settings.school_days)

    def day_type(self, day: dt.date) -> str:
        """``school_day``, ``term_weekend``, ``holiday`` or ``vacation``."""
        settings = self._settings
        if not any(day in term for term in settings.terms):
            return "vacation"
        if day in self._school_days:
            return "school_day"
        if any(day in span for span in settings.holidays):
            return "holiday"
        match day_kind(day):
            case DayKind.HOLIDAY:
                return "holiday"
            case DayKind.WORKDAY | DayKind.MAKE_UP:
                return "school_day"
            case DayKind.WEEKEND:
                return "term_weekend"
            case None:
                return "term_weekend" if day.weekday() >= 5 else "school_day"

    def is_exam(self, day: dt.date) -> bool:
        """Whether *day* lies in an exam week."""
        return any(day in span for span in self._settings.exam_weeks)

    def unknown_years(self, years: Iterable[int]) -> list[int]:
        """Those of *years* whose public holidays are not known yet; weekdays count as school days there."""
        return [year for year in years if day_kind(dt.date(year, 7, 1)) is None]

    def opening(self, building: str, time_ms: int) -> Opening:
        """Open or closed; unknown without any term, or for a building that is not in site.yaml."""
        if not self._settings.terms or building not in self._uses:
            return Opening.UNKNOWN
        day = from_ms(time_ms, self._zone).date()
        for one in (day, day - dt.timedelta(days=1)):
            if any(start_ms <= time_ms < end_ms for start_ms, end_ms in self._spans(building, one)):
                return Opening.OPEN
        return Opening.CLOSED

    def changed_ms(self, building: str, time_ms: int) -> int:
        """When the state at *time_ms* began, looking back at most 400 days."""
        state = self.opening(building, time_ms)
        if state is Opening.UNKNOWN:
            return time_ms
        day = from_ms(time_ms, self._zone).date()
        edge_ms = time_ms
        for back in range(_LOOK_BACK_DAYS):
            edges = sorted(
                {moment for span in self._spans(building, day - dt.timedelta(days=back)) for moment in span},
                reverse=True,
            )
            for moment in edges:
                if moment > edge_ms:
                    continue
                if self.opening(building, moment - 1) is not state:
                    return moment
                edge_ms = moment
        return time_ms - _LOOK_BACK_DAYS * DAY_MS

    def _spans_of(self, building: str, day: dt.date) -> tuple[tuple[int, int], ...]:
        return tuple(
            self._span(day, parse_window(text)) for text in self._hours(building, self.day_type(day))
        )

    def _span(self, day: dt.date, window: Window) -> tuple[int, int]:
        start, end = window
        last_day = day if end > start else day + dt.timedelta(days=1)
        return (
            to_ms(dt.datetime.combine(day, start, self._zone)),
            to_ms(dt.datetime.combine(last_day, end, self._zone)),
        )

    def _hours(self, building: str, day_type: str) -> list[str]:
        use = self._uses[building]
        default = _DEFAULT_HOURS.get(use, _DEFAULT_HOURS["other"])
        if use == "dormitory" and not self._settings.boarding:
            default = _DAY_SCHOOL_DORMITORY
        for kinds in (self._settings.hours.get(building), self._settings.hours.get(use), default):
            if kinds is not None and day_type in kinds:
                return kinds[day_type]
        return []


def parse_window(text: str) -> Window:
    """``06:30-22:00`` as two times; ``24:00`` is the next midnight. Raises ValueError."""
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is not a window; expected such as 06:30-22:00")
    try:
        return dt.time.fromisoformat(start.strip()), dt.time.fromisoformat(
            end.strip().replace("24:00", "00:00")
        )
    except ValueError as error:
        raise ValueError(f"{text!r} is not a window; expected such as 06:30-22:00") from error
