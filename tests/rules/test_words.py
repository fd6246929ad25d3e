"""What people read of an alert: each rule's own title, lines and advice, put together."""

from __future__ import annotations

import string

import pytest

from campus.campus import Campus
from campus.device import Device, Place
from campus.site import Site
from campus.text import marked, translator
from rules.catalogue import catalogue
from rules.words.explain import advice_texts, explain, lines_of
from rules.words.fact import Ending

SITE = Site.model_validate({"id": "s", "name": "S", "buildings": [{"id": "b", "name": "3 号楼"}]})
PLACE = Place(site="s", building="b", floor="二层")
CAMPUS = Campus(site=SITE, devices=[Device(id="d", name="冷柜", kind="cold_storage", place=PLACE)])
AT_MS = 1_795_233_600_000
WARM = {
    "temperature_c": -5.0,
    "peak_c": -4.0,
    "minutes_above": 61,
    "minutes_to_critical": 9,
    "limit_c": -12.0,
}


def evidence(facts, **more):
    return {"facts": facts, "since_ms": AT_MS, "advice": "cold.above_limit", **more}


def fields(text):
    return [name for _, name, _, _ in string.Formatter().parse(text) if name]


@pytest.mark.parametrize("rule", catalogue().values(), ids=lambda rule: rule.name)
def test_a_rule_carries_its_words(rule):
    """Each rule has a title of place and device, lines of one value each, advice, and the English of all of them."""
    english = translator("en")
    assert fields(rule.title) == ["place", "device"]
    assert rule.advice
    assert all(fields(one.line) in ([], ["value"]) for one in rule.lines)
    texts = [rule.title, *(one.line for one in rule.lines), *(one.text for one in rule.advice)]
    assert [text for text in texts if english(text) == text] == []


def test_shared_words_are_declared_once():
    """A fact has the same line, and an advice the same text, whichever rule uses it; a rule names each once."""
    facts, advice = {}, {}
    for rule in catalogue().values():
        assert len({one.key for one in rule.lines}) == len(rule.lines)
        for one in rule.lines:
            assert facts.setdefault(one.key, one) is one
        for one in rule.advice:
            assert advice.setdefault(one.key, one) is one
    assert advice_texts() == {key: one.text for key, one in advice.items()}


def test_an_alert_is_told_with_what_where_since_when_and_what_to_do():
    """The rule's lines come in its own order, whatever the order of the facts; what has no line is left out."""
    shuffled = {**dict(reversed(WARM.items())), "critical_c": -9.0}
    witness = {"series": "d/temperature", "time_ms": AT_MS, "value": -5.0}
    found = explain("cold.above_limit", "d", evidence(shuffled, witnesses=[witness]), CAMPUS, marked)
    assert found.title == "3 号楼 二层「冷柜」温度过高"
    assert found.lines == (
        "现在 -5.0 °C",
        "按目前趋势约 9 分钟后到危险温度",
        "最高 -4.0 °C",
        "超过限值共 61 分钟",
        "限值 -12.0 °C",
        "依据:11-21 12:00 的读数 -5",
        "从 11-21 12:00 开始",
    )
    assert found.advice.startswith("先看门是否关严")


def test_the_end_tells_the_extremes_and_no_forecast():
    """Once it is over the recovery's reading leads, sums and limits stay, the rest is dated, forecasts are gone."""
    over = evidence(
        {**WARM, "outdoor_c": 3.0}, recovered={"series": "d/temperature", "time_ms": AT_MS, "value": -19.0}
    )
    found = explain("cold.above_limit", "d", over, CAMPUS, marked)
    assert found.lines == (
        "现在 -19 °C",
        "最高 -4.0 °C",
        "超过限值共 61 分钟",
        "限值 -12.0 °C",
        "告警时:室外 3.0 °C",
        "从 11-21 12:00 开始",
    )


def test_the_end_of_a_counters_alert_shows_no_counter():
    """A register's value says nothing of the flow, so the end of a leak is told without it."""
    over = evidence(
        {"flow_m3h": 7.5}, recovered={"series": "d/water_volume", "time_ms": AT_MS, "value": 812.0}
    )
    assert explain("water.burst", "d", over, CAMPUS, marked).lines == (
        "告警时:流量 7.50 m³/h",
        "从 11-21 12:00 开始",
    )


def test_a_rule_that_is_gone_is_still_readable():
    """Alerts kept from a rule that is no more name it, with every fact that anybody has a line for."""
    found = explain("gone.rule", "nobody", {"facts": {"flow_m3h": 1.0, "odd": 2}}, CAMPUS, marked)
    assert found.title == "「nobody」告警:gone.rule"
    assert found.lines == ("流量 1.00 m³/h",)
    assert found.advice == ""


def test_a_fact_of_another_type_is_shown_as_it_is():
    """A fact that should be a number and is a text does not spoil the message."""
    assert explain("cold.too_cold", "d", {"facts": {"limit_c": "?"}}, CAMPUS, marked).lines == ("?",)


def test_a_rules_own_lines_come_first():
    """Others' lines follow its own, each fact once."""
    own = catalogue()["pipe.cold"].lines
    found = lines_of("pipe.cold")
    assert found[: len(own)] == own
    assert len({one.key for one in found}) == len(found)
    assert {one.key for one in found if one.ending is Ending.DROPPED} >= {"minutes_to_0c", "loss_m3_day"}


def test_the_catalogue_is_made_once_and_cannot_be_changed():
    """Every engine shares the rules, so nobody may take one out for all."""
    assert catalogue() is catalogue()
    with pytest.raises(TypeError):
        catalogue()["x"] = None
