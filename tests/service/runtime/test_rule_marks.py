"""A rule has judged a batch without harm when the next one begins; what is replayed from before proves nothing."""

from __future__ import annotations

from service.poison.rule_marks import RuleMarks


class Judging:
    """Marks of a rule that is watched, number 7, and what was found completed."""

    def __init__(self, watched):
        self.words, self.done = [0, 0], []
        self.marks = RuleMarks(self.words, watched, lambda batch, group: self.done.append((batch, group)))

    def batch(self, number, *judges):
        self.marks[1] = number
        for one in (*judges, 0):
            self.marks.words[0] = one


def test_a_batch_is_over_when_the_next_begins():
    """Not while the same batch may still show the rule another reading."""
    judging = Judging({7: "a/b"})
    judging.batch(1, 7, 8, 7)
    assert judging.done == []
    judging.batch(2, 8)
    judging.batch(3)
    assert judging.done == [(1, "a/b")]
    assert judging.words == [0, 3]


def test_what_is_replayed_proves_nothing():
    """After a restart the journal is judged again up to where it was: the poison lies behind that."""
    judging = Judging({7: "a/b"})
    judging.marks.is_live = lambda: False
    judging.batch(1, 7)
    judging.marks.is_live = lambda: True
    judging.batch(2, 8)
    assert judging.done == []


def test_nobody_watched_costs_nothing():
    """The engine then writes to the file itself."""
    judging = Judging({})
    assert judging.marks.words is judging.words
