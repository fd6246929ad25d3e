"""Every text a person sees has its English, with the same placeholders."""

from __future__ import annotations

import functools
import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from campus.quantity import SPECS
from campus.text import LOCALES, marked, translator

ROOT = Path(__file__).parents[2]
ROOMS = ("alerts", "api", "campus", "dashboards", "ingest", "rules", "service", "simulators", "store")


@functools.cache
def texts():
    """Every text marked in code and templates, and every quantity's label."""
    found = {spec.label for spec in SPECS.values()}
    for room in ROOMS:
        rules = [("**.py", "python"), ("**.html", "jinja2")]
        for _, _, message, _, _ in extract_from_dir(ROOT / room, rules, keywords={"_": None, "marked": None}):
            found.add(message if isinstance(message, str) else message[0])
    return {text for text in found if text}


def placeholders(text):
    return {(name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name is not None}


def test_a_catalogue_is_read_once():
    """Pages ask for the translator at each request, so reading the catalogue is not repeated."""
    assert translator("en") is translator("en")


def test_every_text_has_its_english():
    """Nothing that is marked is missing in the catalogue, and nothing in it is left over."""
    with (LOCALES / "en" / "LC_MESSAGES" / "shouyuan.po").open("rb") as file:
        catalogue = {message.id: message.string for message in read_po(file) if message.id}
    assert {text for text in texts() if not catalogue.get(text)} == set()
    assert set(catalogue) - texts() == set()
    for chinese, english in catalogue.items():
        assert placeholders(chinese) == placeholders(english), chinese


def test_chinese_is_the_source():
    """Chinese needs no catalogue, and a text without English stays Chinese."""
    assert translator("zh_CN") is marked
    assert translator("en")("一切正常") == "All is well"
    assert translator("en")("没有这句") == "没有这句"


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_every_text_can_be_filled(language):
    """Each text takes its placeholders without a fault."""
    translate = translator(language)
    for text in texts():
        values = {name: 1.5 for name, _ in placeholders(text)}
        assert translate(text).format(**values) if values else translate(text)
