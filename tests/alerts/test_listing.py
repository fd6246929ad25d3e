"""The order in which alerts are listed, and paging through it."""

from __future__ import annotations

import pytest

from alerts.alert import AlertState
from alerts.book import AlertBook
from alerts.cursor import AlertCursor
from alerts.errors import BadCursor
from rules.level import Level, State
from rules.verdict import Transition


@pytest.fixture
def book(database, campus):
    return AlertBook(database, lambda: campus)


def happen(book, subject, level, *states):
    """One alert's transitions."""
    for state in states:
        happen.seq += 1
        one = Transition(
            rule="cold.above_limit",
            subject=subject,
            from_state=State.FIRING if state is State.RESOLVED else State.INACTIVE,
            to_state=state,
            severity=level,
            time_ms=happen.seq,
        )
        book.apply([one], seq=happen.seq, time_ms=happen.seq)


happen.seq = 0


def test_an_open_critical_is_first_however_many_are_newer(book):
    """A hundred and one resolved alerts after it do not push it off the list."""
    happen(book, "freezer", Level.CRITICAL, State.FIRING)
    for number in range(101):
        happen(book, f"other-{number}", Level.WARNING, State.FIRING, State.RESOLVED)
    first = book.find(limit=100)
    assert (first[0].subject, first[0].state) == ("freezer", AlertState.FIRING)
    assert [one.id for one in first[1:]] == sorted((one.id for one in first[1:]), reverse=True)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_join_without_gap_or_repeat(book, size):
    """Whatever the size of a page, all pages together are the whole list in its order."""
    levels = (Level.NOTICE, Level.CRITICAL, Level.WARNING)
    for number in range(12):
        ended = (State.RESOLVED,) if number % 4 == 0 else ()
        happen(book, f"d{number}", levels[number % 3], State.FIRING, *ended)
    whole = [one.id for one in book.find(limit=1000)]
    seen, place = [], None
    while page := book.find(limit=size, after=place):
        seen += [one.id for one in page]
        place = AlertCursor.parse(str(AlertCursor.of(page[-1])))
    assert seen == whole
    assert len(set(whole)) == 12


def test_by_number_alone(book):
    """Going back by number takes each alert in turn, whatever its severity."""
    for number in range(9):
        happen(book, f"d{number}", (Level.NOTICE, Level.CRITICAL, Level.WARNING)[number % 3], State.FIRING)
    newest = max(one.id for one in book.find())
    seen, before_id = [], newest + 1
    while page := book.find(limit=2, before_id=before_id):
        seen += [one.id for one in page]
        before_id = page[-1].id
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 9


@pytest.mark.parametrize("text", ["", "1", "1.2", "2.0.1", "0.9.1", "0.3.-1", "0.3.²", "0.3." + "9" * 30])
def test_what_is_no_place_is_refused(text):
    """The error says what a place looks like."""
    with pytest.raises(BadCursor, match=r"such as 0\.3\.17"):
        AlertCursor.parse(text)
