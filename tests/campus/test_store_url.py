"""A store's URL: what its parts mean, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from campus.store_url import (
    FORMS,
    StoreKind,
    StoreUrl,
    expected_form,
    form_of,
    read_store_url,
    without_secret,
)

DOCS = Path(__file__).parents[2] / "docs" / "stores.md"
INFLUXDB, VICTORIAMETRICS = StoreKind.INFLUXDB, StoreKind.VICTORIAMETRICS


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("embedded", StoreUrl(StoreKind.EMBEDDED)),
        ("embedded:", StoreUrl(StoreKind.EMBEDDED)),
        ("embedded:/data/50%25", StoreUrl(StoreKind.EMBEDDED, folder="/data/50%25")),
        ("influxdb2://h:8086/o/b", StoreUrl(INFLUXDB, "http://h:8086", org="o", bucket="b")),
        (
            "influxdb2s://t%3D@h/the%20school/b/",
            StoreUrl(INFLUXDB, "https://h", secret="t=", org="the school", bucket="b"),
        ),
        ("victoriametrics://h:1", StoreUrl(VICTORIAMETRICS, "http://h:1")),
        (
            "victoriametricss://u:p%40@h/select/0/",
            StoreUrl(VICTORIAMETRICS, "https://h/select/0", user="u", secret="p@"),
        ),
    ],
)
def test_the_parts_of_a_url(text, url):
    """Server, TLS, account, token, and what is particular to a store; no secret is in what is shown of it."""
    assert read_store_url(text) == url
    assert not url.secret or url.secret not in repr(url)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("influxdb2://secret@h:8086", form_of(INFLUXDB)),
        ("influxdb2s://secret@h:8086/o", form_of(INFLUXDB)),
        ("victoriametrics://secret@h:1", form_of(VICTORIAMETRICS)),
        ("victoriametrics:/h:1", form_of(VICTORIAMETRICS)),
        ("embeded", FORMS),
        ("influxdb://h:8086/o/b", FORMS),
        ("", FORMS),
    ],
)
def test_a_wrong_url_is_answered_with_the_right_form(text, expected):
    """That of its scheme, where it has one of ours, else all there are."""
    assert read_store_url(text) is None
    assert expected_form(text).removeprefix("one of ") == expected
    assert "secret" not in without_secret(text)


def test_the_documentation_names_every_form():
    """docs/stores.md and this module do not differ."""
    text = DOCS.read_text(encoding="utf-8")
    assert [kind for kind in StoreKind if f"`{form_of(kind)}`" not in text] == []
