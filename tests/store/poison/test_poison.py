"""What was under way when a process died is known afterwards, counted, and rests after the second time."""

from __future__ import annotations

import pytest

from campus.clock import DAY_MS
from store.poison.handling import Handling, Left, kept_topic
from store.poison.record import Kind, Poison, Suspect

NOW_MS = 1_795_000_000_000
MESSAGE = Suspect(Kind.MESSAGE, "0badcafe", "zigbee2mqtt/Freezer")
RULE = Suspect(Kind.RULE, "41", "cold.above_limit/freezer")


def send(key):
    return Suspect(Kind.CHANNEL, key, "wecom")


@pytest.fixture
def poison(tmp_path):
    return Poison(tmp_path / "poison.json")


def test_a_mark_outlives_the_process(tmp_path):
    """What one process was handling, the next one finds, with its text; what had ended, it does not."""
    path = tmp_path / "handling.bin"
    before = Handling(path, boot="a")
    before.begin()
    before.slot(0).begin(7, "a/topic/冷库", place=3)
    before.slot(1).begin(8, "ended")
    before.slot(1).end()
    assert Handling(path, boot="a").left == (Left(0, 7, 3, "a/topic/冷库"),)
    after = Handling(path, boot="b")
    assert after.left == (Left(0, 7, 3, "a/topic/冷库", rebooted=True),)
    after.begin()
    assert Handling(path, boot="b").left == ()


def test_a_long_text_is_cut(tmp_path):
    """A mark holds its own room and no more, whatever is handled."""
    handling = Handling(tmp_path / "handling.bin", boot="")
    handling.begin()
    handling.slot(0).begin(1 << 70 | 5, "长" * 5_000)
    handling.slot(99).begin(6, "last")
    left = Handling(tmp_path / "handling.bin", boot="").left
    assert [(one.slot, one.item) for one in left] == [(0, 5), (31, 6)]
    assert left[0].text.startswith("长" * 333)


def test_topics_are_kept_by_number(tmp_path):
    """A topic's number leads the next process to its text; when there are more than room, the oldest go."""
    path = tmp_path / "handling.bin"
    topics = Handling(path).topics
    first = topics.enter("a/冷库")
    assert topics.numbers == {"a/冷库": first}
    long = topics.enter("长" * 100)
    found = Handling(path).topics
    assert found.text(first | 7) == "a/冷库"
    assert found.text(long) == kept_topic("长" * 100) != "长" * 100
    assert found.text(5) == ""
    for number in range(20_000):
        topics.enter(str(number))
    assert len(topics.numbers) == 16_384
    assert "a/冷库" not in topics.numbers
    assert found.text(topics.numbers["19999"]) == "19999"


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40_000])
def test_a_broken_file_of_marks_is_made_anew(tmp_path, content):
    """A file of another size or version says nothing, and marks work afterwards."""
    path = tmp_path / "handling.bin"
    path.write_bytes(content)
    handling = Handling(path)
    assert (handling.left, handling.broken) == ((), "")
    handling.begin()
    handling.slot(0).begin(7, "x")
    assert [one.item for one in Handling(path).left] == [7]


def test_a_folder_that_takes_no_file_stops_nothing(tmp_path):
    """Where no file can be made, marks are kept in memory and it is said that they will be lost."""
    handling = Handling(tmp_path / "nowhere" / "handling.bin")
    handling.begin()
    handling.slot(0).begin(7, "x")
    assert handling.broken
    handling.close()


def test_once_is_chance_twice_is_set_aside(poison, tmp_path):
    """The first death makes a suspect, the second sets it aside, and so it stays over restarts."""
    assert poison.blame([MESSAGE], NOW_MS) == []
    assert poison.all() == ()
    (aside,) = poison.blame([MESSAGE], NOW_MS + 1)
    assert (aside.item, aside.deaths) == ("0badcafe", 2)
    again = Poison(tmp_path / "poison.json")
    assert again.holds(Kind.MESSAGE, "0badcafe", "zigbee2mqtt/Freezer", NOW_MS + 1)
    assert not again.holds(Kind.MESSAGE, "00000001", "zigbee2mqtt/Freezer", NOW_MS + 1)


def test_a_rule_is_set_aside_for_its_device(poison):
    """The same batch twice switches the rule off on that device, whatever comes next."""
    poison.blame([RULE], NOW_MS)
    poison.blame([RULE], NOW_MS)
    assert poison.groups(Kind.RULE, NOW_MS) == {"cold.above_limit/freezer"}


def test_the_third_in_a_row_sets_the_topic_aside(poison):
    """Another message of the same topic at each death: the third in a row takes the whole topic."""
    for number in range(2):
        assert poison.blame([Suspect(Kind.MESSAGE, str(number), "t")], NOW_MS) == []
    (aside,) = poison.blame([Suspect(Kind.MESSAGE, "2", "t")], NOW_MS)
    assert (aside.item, aside.group) == ("", "t")
    assert poison.holds(Kind.MESSAGE, "anything", "t", NOW_MS)


@pytest.mark.parametrize("between", [[], [MESSAGE]])
def test_a_topic_now_and_then_is_chance(poison, between):
    """Deaths of a busy topic's messages count in a row only: an orderly end or another suspect in between begins anew."""
    for number in range(6):
        assert poison.blame([Suspect(Kind.MESSAGE, str(number), "t")], NOW_MS) == []
        poison.blame(between if number < 1 else [], NOW_MS)
    assert poison.all() == ()


def test_a_channel_needs_two_messages(poison):
    """One message that killed twice goes another way; two of them, and the channel is set aside."""
    for key in ("m1", "m1"):
        poison.blame([send(key)], NOW_MS)
    assert poison.holds(Kind.CHANNEL, "m1", "wecom", NOW_MS)
    assert not poison.holds(Kind.CHANNEL, "m2", "wecom", NOW_MS)
    for key in ("m2", "m2"):
        poison.blame([send(key)], NOW_MS)
    assert poison.holds(Kind.CHANNEL, "m3", "wecom", NOW_MS)


def test_released_counts_anew(poison):
    """What somebody tries again is a suspect only after its next death."""
    poison.blame([MESSAGE], NOW_MS)
    (aside,) = poison.blame([MESSAGE], NOW_MS)
    assert poison.release(aside.id) == aside
    assert poison.release(aside.id) is None
    assert poison.is_empty
    assert poison.blame([MESSAGE], NOW_MS) == []
    assert len(poison.blame([MESSAGE], NOW_MS)) == 1


def test_suspects_are_forgotten_and_bounded(poison):
    """A suspect of a season ago begins anew, and a thousand deaths do not make a thousand records."""
    poison.blame([MESSAGE], NOW_MS)
    assert poison.blame([], NOW_MS + 91 * DAY_MS) == []
    poison.blame([RULE], NOW_MS + 91 * DAY_MS)
    assert poison.blame([MESSAGE], NOW_MS + 91 * DAY_MS) == []
    for number in range(700):
        poison.blame([Suspect(Kind.MESSAGE, str(number), str(number))], NOW_MS)
    assert len(poison._content.suspects) <= 500


def test_a_damaged_record_is_kept_beside(tmp_path):
    """A record that cannot be read is no reason not to start; people find it under another name."""
    path = tmp_path / "poison.json"
    path.write_text("{broken")
    assert Poison(path).is_empty
    assert (tmp_path / "poison.damaged").read_text() == "{broken"
