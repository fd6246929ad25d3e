"""The words of field names: the same as ever, at a cost that grows with the name and no faster."""

from __future__ import annotations

import functools
import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.fuzzing.cases import NOW_MS, SAMPLES, seeds
from bench.fuzzing.cases import words as keys_of_seeds
from ingest.decoding.contract import Hints
from ingest.decoding.reading import lexicon
from ingest.decoding.registry import Registry
from ingest.message import Message

#: how it was told before, in time that doubles with each ambiguous word
SLOW = re.compile(f"(?:{'|'.join(lexicon._GLUED_WORDS)})+")
SHORT = 30


@functools.cache
def names():
    """Every key, text and topic level of our own messages, and of third parties' where they lie beside the checkout."""
    found = set(keys_of_seeds())
    for seed in seeds():
        found.update(seed.topic.split("/"))
    for file in sorted(SAMPLES.rglob("*")) if SAMPLES.exists() else ():
        if file.is_file():
            found.update(
                re.findall(r"[^\W\d_]{2,60}|[\w ./-]{2,60}", file.read_bytes().decode(errors="replace"))
            )
    return sorted(found)


def test_known_names_keep_their_words():
    """Of every name in the samples, each part is glued or not exactly as the regular expression said."""
    parts = {part.lower() for name in names() for part in (name, *lexicon._TOKEN.findall(name))}
    told = {part for part in parts if len(part) <= SHORT}
    assert len(told) > 300
    assert {one for one in told if lexicon.is_glued(one)} == {one for one in told if SLOW.fullmatch(one)}


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.lists(st.sampled_from(lexicon._GLUED_WORDS), max_size=5).map("".join),
        st.lists(st.sampled_from(lexicon._GLUED_WORDS), min_size=1, max_size=4).flatmap(
            lambda some: st.integers(0, len("".join(some))).map(lambda cut: "".join(some)[:cut])
        ),
        st.text("abtery", max_size=12),
    )
)
def test_made_up_names_keep_their_words(part):
    """Rows of known words, whole and cut anywhere, are glued exactly where the regular expression said so."""
    assert lexicon.is_glued(part) == bool(SLOW.fullmatch(part))


def test_glued_words_are_read():
    """``batterylevel`` is two words, and what ends in anything else is one that nobody knows."""
    assert lexicon.words("batterylevel") == ["battery", "level"]
    assert lexicon.words("batterylevelq") == ["batterylevelq"]


class _Counted(str):
    """A text that counts how often it is cut."""

    __slots__ = ()
    cuts = 0

    def __getitem__(self, key):
        _Counted.cuts += 1
        return _Counted(super().__getitem__(key))


def test_looks_grow_with_the_name_only():
    """Twice the name is twice the looks into it, however ambiguous its words are."""
    looks = []
    for times in (50, 100, 200):
        _Counted.cuts = 0
        assert not lexicon.is_glued(_Counted("barometer" * times + "q"))
        looks.append(_Counted.cuts)
    assert looks[1] <= 2.1 * looks[0]
    assert looks[2] <= 2.1 * looks[1]


def test_a_topic_of_ambiguous_words_is_read():
    """The topic that stopped the service for good (``barometer`` again and again) is read like any other."""
    topic = f"watermeter/{'barometer' * 50}q/json"
    payload = json.dumps({"value": "12.5", "raw": "12.5", "error": "no error", "rate": "0"}).encode()
    name, decoded = Registry().decode(Message(topic, payload, NOW_MS), Hints())
    assert name == "aiontheedge"
    assert decoded.reports[0].values[0].value == 12.5
