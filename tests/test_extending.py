"""docs/extending.md says how many files an extension touches: an example of each kind is counted here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
ROOMS = ("alerts", "api", "campus", "dashboards", "ingest", "rules", "service", "simulators", "store")
#: what the guide calls it, and by which words the example's own files and lines are known
EXAMPLES = {
    "a rule": r"\bGasClosed\b|gas\.running_closed",
    "a decoder": r"\bNeuron\b|neuron",
    "a channel": r"\bTencentSms(Channel)?\b",
    "a time-series store": r"\bVictoriaStore\b|\bVICTORIAMETRICS\b",
    "a page": r"\bcalendar_page\b|\bcalendar\.html\b",
    "a command group": r"^    doctor,$|^def doctor\(",
    "a look of health": r"\bDISK_LOW\b|\bparts\.disk\(",
}


def touched(pattern):
    """Source files of the rooms in which *pattern* occurs in code, and the example's own template."""
    files = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    files = files or [str(one.relative_to(ROOT)) for room in ROOMS for one in (ROOT / room).rglob("*.py")]
    return {
        one
        for one in files
        if one.startswith(tuple(f"{room}/" for room in ROOMS))
        and re.search(pattern, (ROOT / one).read_text(encoding="utf-8"), re.MULTILINE)
    }


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_extension_touches_as_many_files_as_the_guide_says(kind):
    """The example's own file and the lines elsewhere are exactly those the guide counts."""
    row = next(line for line in GUIDE.splitlines() if line.startswith(f"| {kind} |"))
    _, _, count, where, example, _ = (cell.strip() for cell in row.split("|"))
    files = touched(EXAMPLES[kind])
    assert example.strip("`") in files
    templates = kind == "a page"
    assert len(files) + templates == int(count), sorted(files)
    for named in re.findall(r"`([\w/]+\.py)`", where):
        assert named in files


def test_every_path_in_the_guide_exists():
    """Nobody is sent to a file that is not there."""
    for named in re.findall(r"`((?:tests|" + "|".join(ROOMS) + r")/[\w/.]+)`", GUIDE):
        assert (ROOT / named).exists(), named
