"""Deadlines by instance: the earliest comes first, each once, whatever was put off or brought forward before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine.schedule import Schedule

NEVER = 1 << 62


def drained(schedule, until_ms):
    return list(iter(lambda: schedule.pop(until_ms), None))


def test_the_earliest_comes_first():
    """Numbers are given in order; a deadline that was met is gone, one that lies ahead stays."""
    schedule = Schedule()
    assert [schedule.add(due) for due in (300, None, 100, 200)] == [0, 1, 2, 3]
    assert schedule.next_ms == 100
    assert drained(schedule, 200) == [(100, 2), (200, 3)]
    assert schedule.next_ms == 300
    assert drained(schedule, 299) == []
    assert drained(schedule, 300) == [(300, 0)]
    assert schedule.next_ms == NEVER
    assert len(schedule) == 0


def test_put_off_again_and_again():
    """A deadline that every reading puts off is met at the last one named, and takes no room for the others."""
    schedule = Schedule()
    number = schedule.add(100)
    for due in range(101, 1000):
        schedule.put(number, due)
    assert len(schedule) == 1
    assert drained(schedule, 998) == []
    assert drained(schedule, 999) == [(999, number)]


def test_brought_forward():
    """An earlier deadline takes the place of the later one, which does not come up again."""
    schedule = Schedule()
    number = schedule.add(500)
    schedule.put(number, 200)
    assert schedule.next_ms == 200
    assert drained(schedule, 1000) == [(200, number)]
    assert schedule.next_ms == NEVER


def test_what_was_left_behind_hides_nothing():
    """The place that an earlier deadline left in the heap is passed over, and what comes after it is met at once."""
    schedule = Schedule()
    first, second = schedule.add(500), schedule.add(600)
    schedule.put(first, 200)
    assert drained(schedule, 1000) == [(200, first), (600, second)]


def test_taken_back():
    """None takes a deadline back; a new one may follow, even the same."""
    schedule = Schedule()
    number = schedule.add(100)
    schedule.put(number, None)
    assert drained(schedule, 1000) == []
    schedule.put(number, 100)
    assert drained(schedule, 1000) == [(100, number)]


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 4), st.one_of(st.none(), st.integers(0, 100))),
        st.tuples(st.just("pop"), st.integers(0, 4), st.integers(0, 100)),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 100)), min_size=5, max_size=5), ACTIONS)
def test_it_is_a_table_of_deadlines(first, actions):
    """Whatever is put and taken, it gives what a plain table of deadlines would, and never holds a time too late."""
    schedule, table = Schedule(), dict(enumerate(first))
    for due in first:
        schedule.add(due)
    for action, number, at in actions:
        if action == "put":
            schedule.put(number, at)
            table[number] = at
        else:
            due = sorted((due, one) for one, due in table.items() if due is not None and due <= at)
            assert sorted(drained(schedule, at)) == due
            table |= dict.fromkeys((one for _, one in due), None)
        earliest = min((due for due in table.values() if due is not None), default=NEVER)
        assert schedule.next_ms <= earliest
    assert len(schedule) <= 5 + sum(action == "put" for action, _, _ in actions)
