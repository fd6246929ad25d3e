"""Chance silences nothing for longer than the first rest; a real poison rests longer each time; a trial that succeeds releases."""

from __future__ import annotations

import itertools
import random

import pytest

from campus.clock import DAY_MS, MINUTE_MS
from store.poison.file import RESTS_MS
from store.poison.record import Kind, Poison, Suspect

NOW_MS = 1_795_000_000_000
BUSY = {Kind.MESSAGE: "gateway/all", Kind.RULE: "cold.above_limit/freezer", Kind.CHANNEL: "wecom"}


class Life:
    """A service that dies again and again, on a clock of its own; its only topic, rule and channel are always busy."""

    def __init__(self, tmp_path):
        self.path = tmp_path / "poison.json"
        self.now_ms = NOW_MS
        self.number = 0
        self.poison = Poison(self.path)

    def start(self, *suspects):
        """The next start after a death at which *suspects* were under way."""
        self.poison = Poison(self.path)
        return self.poison.blame(suspects, self.now_ms)

    def fresh(self, kind):
        self.number += 1
        return Suspect(kind, str(self.number), BUSY[kind])

    def silent(self, kind):
        return self.poison.holds(kind, "another", BUSY[kind], self.now_ms) is not None


@pytest.fixture
def life(tmp_path):
    return Life(tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_deaths_at_random_silence_nothing_for_long(life, seed):
    """Of 50 deaths at random at a busy topic, rule and channel, none silences anything beyond the first rest."""
    chance = random.Random(seed)
    silent_since = dict.fromkeys(BUSY, 0)
    under_way = dict.fromkeys(BUSY)
    for _ in range(50):
        life.start(*(one for one in under_way.values() if one is not None))
        for _ in range(chance.randrange(1, 200)):
            life.now_ms += 500
            for kind in BUSY:
                if life.silent(kind):
                    silent_since[kind] = silent_since[kind] or life.now_ms
                    assert life.now_ms - silent_since[kind] <= RESTS_MS[0]
                    under_way[kind] = None
                    continue
                silent_since[kind] = 0
                if under_way[kind] is not None and chance.random() < 0.2:
                    life.poison.completed(*_parts(under_way[kind]))
                    under_way[kind] = None
                under_way[kind] = under_way[kind] or life.fresh(kind)
    assert not any(one.again_ms - life.now_ms > RESTS_MS[0] for one in life.poison.all())


@pytest.mark.parametrize("kind", BUSY)
def test_what_was_completed_in_between_counts_anew(life, kind):
    """Deaths are in a row only where nothing of the topic, rule or channel was completed between them."""
    for _ in range(50):
        assert life.start(life.fresh(kind)) == []
        life.poison.completed(kind, "another", BUSY[kind])
    assert life.poison.all() == ()


def test_an_item_that_was_completed_is_no_suspect(life):
    """The same payload may be under way at every death, as devices repeat themselves; read in between, it is no poison."""
    steady = Suspect(Kind.MESSAGE, "0badcafe", BUSY[Kind.MESSAGE])
    for _ in range(50):
        assert life.start(steady) == []
        life.poison.completed(*_parts(steady))
    life.start(steady)
    life.poison.completed(Kind.MESSAGE, "another", steady.group)
    assert len(life.start(steady)) == 1, "another one says nothing of it"


@pytest.mark.parametrize("kind", BUSY)
def test_a_poison_rests_longer_each_time(life, kind):
    """Handled again after each rest, over restarts, it kills no more than the rests allow."""
    poison = Suspect(kind, "0badcafe", BUSY[kind])
    deaths_ms = []
    while life.now_ms < NOW_MS + 10 * DAY_MS:
        life.start(poison)
        deaths_ms.append(life.now_ms)
        aside = life.poison.holds(*_parts(poison), life.now_ms)
        life.now_ms = aside.again_ms if aside is not None else life.now_ms + 1
        assert life.poison.holds(*_parts(poison), life.now_ms) is None
    rests_ms = [after - before for before, after in itertools.pairwise(deaths_ms[1:])]
    assert rests_ms[:6] == list(RESTS_MS)
    assert set(rests_ms[6:]) == {DAY_MS}


@pytest.mark.parametrize("kind", BUSY)
def test_a_trial_that_succeeds_releases(life, kind):
    """After the rest one is handled; completed, all is as if nothing had been, and who waits is told once."""
    suspects = [life.fresh(kind) for _ in range(2)]
    for one in [*suspects, *suspects, life.fresh(kind)]:
        if not life.silent(kind):
            life.start(one)
    life.now_ms += MINUTE_MS
    assert not life.silent(kind)
    wholes = [one for one in life.poison.all() if not one.item]
    life.poison.completed(kind, "another", BUSY[kind])
    assert [one for one in life.poison.take_released() if not one.item] == wholes
    assert life.poison.take_released() == []
    again = Poison(life.path)
    assert not any(not one.item for one in again.all())
    assert again.replay_due == (kind is Kind.MESSAGE)
    again.replayed()
    assert not Poison(life.path).replay_due


def test_a_trial_that_kills_rests_the_topic_longer(life):
    """Whichever message the trial was made with."""
    for _ in range(3):
        life.start(life.fresh(Kind.MESSAGE))
    for rest_ms in RESTS_MS[1:]:
        life.now_ms = life.poison.all()[-1].again_ms
        assert not life.silent(Kind.MESSAGE)
        (aside,) = life.start(life.fresh(Kind.MESSAGE))
        assert aside.again_ms - life.now_ms == rest_ms


def test_a_clock_that_is_set_back_ends_a_rest(life):
    """A rest of a minute does not last for years because the clock was ahead."""
    for _ in range(3):
        life.start(life.fresh(Kind.MESSAGE))
    life.now_ms -= DAY_MS
    assert not life.silent(Kind.MESSAGE)


def test_what_is_completed_is_written_only_where_it_matters(life):
    """A topic with a suspect that never comes again costs no write for each of its other messages."""
    life.start(life.fresh(Kind.MESSAGE))
    life.poison.completed(Kind.MESSAGE, "another", BUSY[Kind.MESSAGE])
    life.path.unlink()
    life.poison.completed(Kind.MESSAGE, "yet another", BUSY[Kind.MESSAGE])
    assert not life.path.exists()


def _parts(suspect):
    return suspect.kind, suspect.item, suspect.group
