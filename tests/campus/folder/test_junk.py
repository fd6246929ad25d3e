"""Whatever stands in a campus folder, the check answers with problems, and loading agrees with it."""

import copy
import itertools
import json

import pytest
import yaml
from folder_support import EXAMPLE, SITE, folder, problems
from hypothesis import given
from hypothesis import strategies as st

from campus.errors import FolderProblems
from campus.folder import check_folder, load_campus


@given(st.text(st.sampled_from("abid:[]{}&*!'\"\n -,#|>?%@0.5"), max_size=80))
def test_no_settings_break_the_check(tmp_path_factory, text):
    """Whatever the settings hold, the check answers with problems, never an exception."""
    path = folder(
        tmp_path_factory.mktemp("f"), **dict.fromkeys(("site.yaml", "calendar.yaml", "rules.yaml"), text)
    )
    assert problems(path)


JUNK = [
    None,
    "",
    "x",
    "${",
    7,
    -1.5,
    True,
    [],
    ["x"],
    [[{}]],
    {},
    {"x": ["x"]},
    {1: 2},
    "2026-02-30",
    "\0",
    "9" * 500,
]


def places(body, here=()):
    """Every place in nested settings."""
    inside = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, one in inside:
        yield (*here, key)
        yield from places(one, (*here, key))


def spoilt(name):
    """The example's settings with one value after another replaced by junk, as (place, junk, body).

    One in thirty-seven of all there are: each place or a near neighbour, and every junk value.
    """
    whole = yaml.safe_load((EXAMPLE / name).read_text(encoding="utf-8"))
    for place, junk in itertools.islice(itertools.product(places(whole), JUNK), 0, None, 37):
        body = inner = copy.deepcopy(whole)
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = junk
        yield place, junk, body


@pytest.mark.parametrize("name", ["site.yaml", "calendar.yaml"])
def test_no_wrong_value_anywhere_breaks_the_check(tmp_path, name):
    """Any value of the example's settings may be of any wrong kind: the check answers, and loading agrees with it."""
    path = folder(tmp_path)
    for place, junk, body in spoilt(name):
        (path / name).write_text(json.dumps(body, default=str), encoding="utf-8")
        mistakes = [one for one in check_folder(path) if not one.warning]
        try:
            load_campus(path)
        except FolderProblems as error:
            assert list(error.problems) == mistakes, (place, junk)
        else:
            assert mistakes == [], (place, junk)


@pytest.mark.parametrize("secret", ["[hidden-1]", "{a: hidden-1}", "'hidden-1'"])
def test_a_secret_of_the_wrong_kind_is_not_shown(tmp_path, secret):
    """What stands where a secret belongs is never told, whatever it is."""
    text = SITE + f"broker: {{password: {secret}, url: 'tcp://me:hidden-1@host'}}\n"
    mistakes = check_folder(folder(tmp_path, **{"site.yaml": text}))
    assert "site.yaml:broker.url" in {one.where() for one in mistakes}
    assert "hidden-1" not in str(mistakes)


@given(st.binary(max_size=300))
def test_no_register_breaks_the_check(tmp_path_factory, content):
    """Whatever bytes the register holds, the check answers with problems, never an exception."""
    path = folder(tmp_path_factory.mktemp("f"), **{"devices.csv": content})
    assert isinstance(problems(path), list)
