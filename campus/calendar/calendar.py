"""The school calendar: whether a building is in use, from terms, holidays, make-up workdays and opening hours.

Terms beat the national calendar: a make-up workday within the winter break is no school day (DOMAIN.md 5).
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import zoneinfo
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from campus.calendar.national_days import DayKind, day_kind, holiday_name
from campus.calendar.opening import Opening
from campus.calendar.school_day import SchoolDay, Why
from campus.calendar.timetable import CalendarSettings, DayType, Span, WindowText, parse_window
from campus.clock import from_ms, to_ms
from campus.text import Translate, marked

__all__ = ["CalendarSettings", "DayType", "SchoolCalendar", "parse_window"]

_LOOK_BACK_DAYS = 400
_DAY = dt.timedelta(days=1)
#: days whose pieces are kept; a look back over a long break of ten buildings fits
_KEPT_DAYS = 16_384
_UNKNOWN_YEAR = marked(
    "{year} 年的法定节假日和调休还不知道,这一年按普通的周一至周五上课计算;放假和调休请写在 calendar.yaml 的 holidays 和 school_days 里。"
)
_NO_TERMS = marked("校历里还没有学期,守园不知道楼栋何时开放,与开放时间有关的判断都不会做。")


class Piece(NamedTuple):
    """A stretch of one local day, half open, in which a building stays open or closed."""

    start_ms: int
    end_ms: int
    state: Opening


class SchoolCalendar:
    """Answers :class:`campus.calendar.opening.OpeningHours` for the buildings of a site (*uses*: building id → use).

    Each day of a building is cut into pieces once and kept, as rules ask for every reading.
    """

    def __init__(self, settings: CalendarSettings, uses: Mapping[str, str], zone: zoneinfo.ZoneInfo) -> None:
        self._settings = settings
        self._uses = dict(uses)
        self._zone = zone
        self._school_days = frozenset(settings.school_days)
        self._pieces = functools.lru_cache(maxsize=_KEPT_DAYS)(self._pieces_of)
        self._midnight_state = functools.lru_cache(maxsize=_KEPT_DAYS)(self._midnight_state_of)

    @property
    def settings(self) -> CalendarSettings:
        """All that calendar.yaml says."""
        return self._settings

    @property
    def buildings(self) -> Mapping[str, str]:
        """The uses of the site's buildings by id."""
        return self._uses

    def day_type(self, day: dt.date, building: str = "") -> DayType:
        """What *day* is to the school, or to one building where an override says so."""
        return self.day(day, building).type

    def day(self, day: dt.date, building: str = "") -> SchoolDay:
        """What *day* is to the school or to one building, and why; an exam week is the reason of its school days."""
        found = self._day_of(day, building)
        if found.type is DayType.SCHOOL_DAY and self.is_exam(day):
            return SchoolDay(DayType.SCHOOL_DAY, Why.EXAM, _name(day, self._settings.exam_weeks))
        return found

    def windows(self, building: str, day: dt.date) -> list[WindowText]:
        """When *building* opens on *day*; the last may run into the next. Only for buildings of the site."""
        return self._windows(building, day)

    def hours_override(self, building: str, day: dt.date) -> str | None:
        """The name of the exception that sets the hours of *building* on *day*; None where none does."""
        override = self._settings.override(day, building)
        return override.name if override is not None and override.hours is not None else None

    def is_exam(self, day: dt.date) -> bool:
        """Whether *day* lies in an exam week."""
        return self._settings.is_exam(day)

    def unknown_years(self, years: Iterable[int]) -> list[int]:
        """Those of *years* whose public holidays are not known yet; weekdays count as school days there."""
        return [year for year in years if day_kind(dt.date(year, 7, 1)) is None]

    def notices(self, _: Translate = marked) -> list[str]:
        """What people should know about the calendar: each year of its terms whose public holidays are not known."""
        if not self._settings.terms:
            return [_(_NO_TERMS)]
        years = sorted(
            {year for term in self._settings.terms for year in range(term.start.year, term.end.year + 1)}
        )
        return [_(_UNKNOWN_YEAR).format(year=year) for year in self.unknown_years(years)]

    def opening(self, building: str, time_ms: int) -> Opening:
        """Open or closed; unknown without any term, or for a building that is not in site.yaml."""
        if not self._settings.terms or building not in self._uses:
            return Opening.UNKNOWN
        return self._piece(building, self._day(time_ms), time_ms).state

    def changed_ms(self, building: str, time_ms: int) -> int:
        """When the state at *time_ms* began; *time_ms* where that is unknown or more than 400 days ago."""
        if self.opening(building, time_ms) is Opening.UNKNOWN:
            return time_ms
        day = self._day(time_ms)
        piece = self._piece(building, day, time_ms)
        if piece is not self._pieces(building, day)[0]:
            return piece.start_ms
        since_ms = self._midnight_state(building, day)
        return time_ms if since_ms is None else since_ms

    def _day_of(self, day: dt.date, building: str) -> SchoolDay:
        override = self._settings.override(day, building)
        if override is not None and override.day is not None:
            return SchoolDay(override.day, Why.OVERRIDE, override.name)
        if not self._settings.in_term(day):
            return SchoolDay(DayType.VACATION, Why.VACATION)
        if day in self._school_days:
            return SchoolDay(DayType.SCHOOL_DAY, Why.OWN_SCHOOL_DAY)
        if any(day in span for span in self._settings.holidays):
            return SchoolDay(DayType.HOLIDAY, Why.OWN_HOLIDAY, _name(day, self._settings.holidays))
        return _national(day)

    def _day(self, time_ms: int) -> dt.date:
        return from_ms(time_ms, self._zone).date()

    def _piece(self, building: str, day: dt.date, time_ms: int) -> Piece:
        return next(one for one in self._pieces(building, day) if time_ms < one.end_ms)

    def _midnight_state_of(self, building: str, day: dt.date) -> int | None:
        """Since when a building has been in the state it has at the first moment of *day*; None for too long ago."""
        since_ms, state = self._pieces(building, day)[0].start_ms, self._pieces(building, day)[0].state
        for back in range(1, _LOOK_BACK_DAYS + 1):
            pieces = self._pieces(building, day - back * _DAY)
            if pieces[-1].state is not state:
                return since_ms
            since_ms = pieces[-1].start_ms
            if len(pieces) > 1:
                return since_ms
        return None

    def _pieces_of(self, building: str, day: dt.date) -> tuple[Piece, ...]:
        """All of a local day, cut wherever the building opens or closes; windows may come over from the day before."""
        start_ms, end_ms = self._midnight_ms(day), self._midnight_ms(day + _DAY)
        spans = [*self._spans(building, day - _DAY), *self._spans(building, day)]
        edges = {moment for span in spans for moment in span if start_ms < moment < end_ms}
        pieces: list[Piece] = []
        moments = sorted({start_ms, *edges, end_ms})
        for begin, end in itertools.pairwise(moments):
            is_open = any(opens <= begin < closes for opens, closes in spans)
            state = Opening.OPEN if is_open else Opening.CLOSED
            if pieces and pieces[-1].state is state:
                begin = pieces.pop().start_ms  # noqa: PLW2901 - touching windows are one piece
            pieces.append(Piece(begin, end, state))
        return tuple(pieces)

    def _spans(self, building: str, day: dt.date) -> list[tuple[int, int]]:
        return [self._span(day, text) for text in self._windows(building, day)]

    def _windows(self, building: str, day: dt.date) -> list[WindowText]:
        override = self._settings.override(day, building)
        if override is not None and override.hours is not None:
            return override.hours
        return self._settings.windows(building, self._uses[building], day, self.day_type(day, building))

    def _span(self, day: dt.date, window: WindowText) -> tuple[int, int]:
        start, end = parse_window(window)
        last_day = day if end > start else day + _DAY
        return self._ms(day, start), self._ms(last_day, end)

    def _midnight_ms(self, day: dt.date) -> int:
        return self._ms(day, dt.time())

    def _ms(self, day: dt.date, time: dt.time) -> int:
        return to_ms(dt.datetime.combine(day, time, self._zone))


def _name(day: dt.date, spans: Iterable[Span]) -> str:
    return next((span.name for span in spans if day in span), "")


def _national(day: dt.date) -> SchoolDay:
    """A day of term as the national calendar has it; by its weekday in a year that is not known yet."""
    match day_kind(day):
        case DayKind.HOLIDAY:
            return SchoolDay(DayType.HOLIDAY, Why.NATIONAL_HOLIDAY, holiday_name(day))
        case DayKind.MAKE_UP:
            return SchoolDay(DayType.SCHOOL_DAY, Why.MAKE_UP, holiday_name(day))
        case DayKind.WORKDAY:
            return SchoolDay(DayType.SCHOOL_DAY, Why.TERM)
        case DayKind.WEEKEND:
            return SchoolDay(DayType.TERM_WEEKEND, Why.WEEKEND)
        case None if day.weekday() < 5:
            return SchoolDay(DayType.SCHOOL_DAY, Why.TERM)
        case None:
            return SchoolDay(DayType.TERM_WEEKEND, Why.WEEKEND)
