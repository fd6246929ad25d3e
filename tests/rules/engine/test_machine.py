"""The state machine of an alert, by sequences of words: when it opens, grows worse, eases and ends."""

import msgspec
import pytest

from campus.clock import HOUR_MS, MINUTE_MS
from rules.engine.machine import FLAPS, Machine, Timing
from rules.level import Level, State
from rules.verdict import Evidence, Verdict

OK, UNKNOWN, NOTICE, WARNING, CRITICAL = Level
DELAYS = {NOTICE: 20, WARNING: 10, CRITICAL: 5}
#: a word counts for an hour; 10 minutes well end an alert
TIMING = Timing(
    delay_ms=lambda level: DELAYS[level] * MINUTE_MS, keep_firing_ms=10 * MINUTE_MS, max_gap_ms=60 * MINUTE_MS
)
AT_ONCE = Timing(delay_ms=lambda _: 0, keep_firing_ms=0, max_gap_ms=60 * MINUTE_MS)
START_MS = 1_795_233_600_000
#: what a machine that never heard a word is in a snapshot
NEW = {
    "state": "inactive",
    "severity": "ok",
    **dict.fromkeys(("verdict_ms", "clear_ms", "eased_ms", "eased_rank"), 0),
    "held_ms": {},
    "words": {},
    "openings": [],
    "advice": "",
    "unknown": False,
    "evidence": {"facts": {}, "since_ms": 0, "witnesses": [], "advice": "", "recovered": None},
}


def word(level, **facts):
    return Verdict(level, Evidence(facts=facts, since_ms=1, advice="a"))


def fed(machine, words, timing=TIMING):
    """(minute, state, severity) of each change; a word is (minute, level), or (minute, None) for time alone."""
    found = []
    for minute, level in words:
        now_ms = START_MS + minute * MINUTE_MS
        changes = (
            machine.on_time(now_ms, timing)
            if level is None
            else machine.on_verdict(word(level), now_ms, timing)
        )
        found += [(minute, one.to_state.value, one.severity.value) for one in changes]
    return found


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # pending at the first bad word, firing once the delay is over, to the minute
        ([(0, WARNING), (9, WARNING)], [(0, "pending", "warning")]),
        ([(0, WARNING), (10, WARNING)], [(0, "pending", "warning"), (10, "firing", "warning")]),
        ([(0, WARNING), (10, None)], [(0, "pending", "warning"), (10, "firing", "warning")]),  # by time alone
        ([(0, WARNING), (9, None)], [(0, "pending", "warning")]),
        # a worse word holds each level below it, too: the warning's time runs from the first warning
        ([(0, WARNING), (8, CRITICAL), (10, None)], [(0, "pending", "warning"), (10, "firing", "warning")]),
        (
            [(0, WARNING), (8, CRITICAL), (13, None)],
            [(0, "pending", "warning"), (13, "firing", "critical")],
        ),
        # a level that is left begins anew
        ([(0, CRITICAL), (4, NOTICE), (5, CRITICAL), (9, None)], [(0, "pending", "critical")]),
        # well before the delay is over: nothing to tell
        ([(0, WARNING), (5, OK), (20, None)], [(0, "pending", "warning"), (5, "inactive", "ok")]),
        # unknown neither opens nor ends, and time alone says nothing while it lasts
        ([(0, WARNING), (5, UNKNOWN), (20, None)], [(0, "pending", "warning")]),
        ([(0, WARNING), (5, UNKNOWN), (12, WARNING)], [(0, "pending", "warning"), (12, "firing", "warning")]),
        (
            [(0, WARNING), (5, UNKNOWN), (6, WARNING), (10, None)],  # known again: time alone counts again
            [(0, "pending", "warning"), (10, "firing", "warning")],
        ),
        # a word counts for an hour and no longer
        ([(0, WARNING), (60, None)], [(0, "pending", "warning"), (60, "firing", "warning")]),
        ([(0, WARNING), (61, None)], [(0, "pending", "warning")]),
        ([(0, WARNING), (60, WARNING)], [(0, "pending", "warning"), (60, "firing", "warning")]),
        (
            [(0, WARNING), (61, WARNING)],
            [(0, "pending", "warning")],
        ),  # what held before the gap counts no more
        ([(0, WARNING), (61, WARNING), (71, None)], [(0, "pending", "warning"), (71, "firing", "warning")]),
        # at once where all is over in one word
        ([(0, OK), (1, OK)], []),
        ([(0, UNKNOWN), (1, OK)], []),
    ],
)
def test_it_opens(words, expected):
    """A level fires once it has held for its delay, by words or by time, while the last word is fresh."""
    assert fed(Machine(), words) == expected


FIRING = [(0, WARNING), (10, WARNING)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # ten minutes well, by words alone
        ([(11, OK), (20, OK)], []),
        ([(11, OK), (21, OK)], [(21, "resolved", "warning")]),
        ([(11, OK), (30, None)], []),
        ([(11, OK), (15, WARNING), (21, OK), (30, OK)], []),
        ([(11, OK), (15, UNKNOWN), (21, OK)], [(21, "resolved", "warning")]),
        ([(11, OK), (500, OK)], [(500, "resolved", "warning")]),  # well before a silence and after it
        # worse: told again, from its own first word on
        ([(12, CRITICAL), (16, CRITICAL)], []),
        ([(12, CRITICAL), (17, CRITICAL)], [(17, "firing", "critical")]),
        ([(12, CRITICAL), (17, None)], [(17, "firing", "critical")]),
        # better: ten minutes at the worst of the lesser levels, by words
        ([(12, NOTICE), (21, NOTICE)], []),
        ([(12, NOTICE), (22, NOTICE)], [(22, "firing", "notice")]),
        ([(12, NOTICE), (22, None)], []),
        ([(12, OK), (14, NOTICE), (22, NOTICE)], [(22, "firing", "notice")]),
        ([(12, NOTICE), (15, WARNING), (22, NOTICE), (31, NOTICE)], []),
        ([(12, NOTICE), (15, WARNING), (22, NOTICE), (32, NOTICE)], [(32, "firing", "notice")]),
        ([(12, NOTICE), (22, OK)], [(22, "firing", "notice")]),
        (
            [(12, NOTICE), (22, NOTICE), (23, OK), (33, OK)],
            [(22, "firing", "notice"), (33, "resolved", "notice")],
        ),
    ],
)
def test_it_changes_and_ends(words, expected):
    """While it fires: worse at once, better and over only after a while and by words alone."""
    machine = Machine()
    fed(machine, FIRING)
    assert fed(machine, words) == expected


def test_the_worst_of_the_lesser_levels_counts():
    """From critical to notice by way of a warning: eased to the warning first, to the notice ten minutes later."""
    machine = Machine()
    fed(machine, [(0, CRITICAL), (5, CRITICAL)])
    eased = [(6, NOTICE), (8, WARNING), (10, NOTICE), (16, NOTICE), (17, NOTICE), (27, NOTICE)]
    assert fed(machine, eased) == [(16, "firing", "warning"), (27, "firing", "notice")]


def test_least_words():
    """Where two words are asked for, one that holds however long is none; the count begins anew with the level."""
    twice = Timing(TIMING.delay_ms, TIMING.keep_firing_ms, TIMING.max_gap_ms, least_confirmations=2)
    assert fed(Machine(), [(0, WARNING), (30, None)], twice) == [(0, "pending", "warning")]
    assert fed(Machine(), [(0, WARNING), (1, WARNING), (10, None)], twice)[-1] == (10, "firing", "warning")
    again = [(0, WARNING), (1, OK), (2, WARNING), (20, None)]
    assert fed(Machine(), again, twice)[-1] == (2, "pending", "warning")
    machine = Machine()
    fed(machine, [(0, WARNING)], twice)
    assert machine.due_ms(twice) is None
    fed(machine, [(1, WARNING)], twice)
    assert machine.due_ms(twice) == START_MS + 10 * MINUTE_MS


def test_when_time_alone_matters():
    """The earliest delay to come, as long as the last word is fresh then; nothing while unknown, well, or told."""
    machine = Machine()
    assert machine.due_ms(TIMING) is None
    fed(machine, [(0, CRITICAL)])
    assert machine.due_ms(TIMING) == START_MS + 5 * MINUTE_MS
    fed(machine, [(5, None)])  # fires as critical: nothing can grow worse
    assert machine.due_ms(TIMING) is None
    slow = Timing(lambda _: 61 * MINUTE_MS, 0, 60 * MINUTE_MS)
    machine = Machine()
    fed(machine, [(0, WARNING)], slow)
    assert machine.due_ms(slow) is None
    edge = Timing(lambda _: 60 * MINUTE_MS, 0, 60 * MINUTE_MS)
    assert machine.due_ms(edge) == START_MS + 60 * MINUTE_MS
    fed(machine, [(1, UNKNOWN)], edge)
    assert machine.due_ms(edge) is None
    machine = Machine()
    fed(machine, [(0, WARNING), (10, None), (12, CRITICAL)])
    assert machine.due_ms(TIMING) == START_MS + 17 * MINUTE_MS


def test_flapping_stays_open():
    """The fourth opening within an hour stays open until an hour was quiet; slower ones end as usual."""
    words = [(minute, (WARNING, OK)[minute % 2]) for minute in range(8)]
    machine = Machine()
    found = fed(machine, words, AT_ONCE)
    assert [state for _, state, _ in found].count("firing") == FLAPS
    assert found[-1][1] == "firing"
    assert fed(machine, [(66, OK)], AT_ONCE) == []
    assert fed(machine, [(67, OK)], AT_ONCE) == [(67, "resolved", "warning")]
    machine, slow = Machine(), [(20 * number + 20, (WARNING, OK)[number % 2]) for number in range(10)]
    assert [state for _, state, _ in fed(machine, slow, AT_ONCE)].count("resolved") == 5
    assert len(machine.openings) == FLAPS


def test_an_hour_to_the_minute_is_flapping():
    """Four openings within exactly an hour count as flapping, one minute more does not."""
    for last, resolved in ((60, 3), (61, 4)):
        machine = Machine()
        openings = [(0, 1), (2, 3), (4, 5), (last, last + 1)]
        words = [one for on, off in openings for one in ((on, WARNING), (off, OK))]
        assert [state for _, state, _ in fed(machine, words, AT_ONCE)].count("resolved") == resolved


def test_what_the_end_says():
    """The end keeps what was true while it was bad, with the newest words on top, and when it began."""
    machine = Machine()
    bad = Verdict(WARNING, Evidence({"peak": 9, "value": 8}, since_ms=5, advice="a"))
    machine.on_verdict(bad, START_MS, AT_ONCE)
    (end,) = machine.on_verdict(Verdict(OK, Evidence({"value": 1}, since_ms=0)), START_MS + 1, AT_ONCE)
    assert (end.from_state, end.to_state, end.severity) == (State.FIRING, State.RESOLVED, WARNING)
    assert end.evidence.facts == {"peak": 9, "value": 1}
    assert end.evidence.since_ms == 5
    assert (machine.state, machine.severity, machine.advice) == (State.INACTIVE, OK, "")
    assert (machine.clear_ms, machine.eased_ms, machine.eased_rank) == (0, 0, 0)


def test_other_advice_is_told_once():
    """As when a cold pipe has frozen: the severity stays, what to do does not. A well word's advice is none."""
    machine = Machine()
    machine.on_verdict(Verdict(WARNING, Evidence(advice="drip")), START_MS, AT_ONCE)
    frozen = Verdict(WARNING, Evidence(advice="thaw"))
    (change,) = machine.on_verdict(frozen, START_MS + 1, AT_ONCE)
    assert (change.from_state, change.to_state, change.severity) == (State.FIRING, State.FIRING, WARNING)
    assert change.evidence.advice == machine.advice == "thaw"
    assert machine.on_verdict(frozen, START_MS + 2, AT_ONCE) == []
    keeps = Timing(AT_ONCE.delay_ms, 10 * MINUTE_MS, AT_ONCE.max_gap_ms)
    assert machine.on_verdict(Verdict(OK), START_MS + 3, keeps) == []


def test_an_adopted_alert_ends_as_its_own():
    """What was open elsewhere fires here, counts as an opening, and ends by this machine's words."""
    machine = Machine(openings=[1, 2, 3, 4])
    machine.adopt(CRITICAL, START_MS - HOUR_MS)
    assert (machine.state, machine.severity) == (State.FIRING, CRITICAL)
    assert machine.openings == [2, 3, 4, START_MS - HOUR_MS]
    assert fed(machine, [(0, OK), (10, OK)]) == [(10, "resolved", "critical")]


def test_when_it_last_heard():
    """Every word but unknown is noted, well ones, too: pages say by it whether anybody can tell at present."""
    machine = Machine()
    assert msgspec.json.decode(msgspec.json.encode(machine)) == NEW
    for minute, level in ((1, OK), (2, OK), (3, WARNING)):
        fed(machine, [(minute, level)])
        assert machine.verdict_ms == START_MS + minute * MINUTE_MS
    fed(machine, [(4, UNKNOWN)])
    assert (machine.verdict_ms, machine.unknown) == (START_MS + 3 * MINUTE_MS, True)
