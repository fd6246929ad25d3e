"""Sequences of real cameras before water meters: the published ones where they are at hand, and ours like them."""

import json
import re
from pathlib import Path

import pytest

from campus.clock import HOUR_MS, MINUTE_MS
from campus.meter.meter import Meter
from campus.meter.register import Register

SAMPLES = Path(__file__).parents[4] / "shared" / "payloads"
START_MS = 1_795_233_600_000
_RAW = re.compile(r"Raw: ([\d.]+), .* - Pre: ([\d.]+)")


def told(values, meter):
    """The steps of *values*, five minutes apart; the first lies six hours before the others.

    The logs begin after the register had wrapped: when the value before was read they do not say.
    """
    register = Register()
    times = [START_MS - 6 * HOUR_MS, *(START_MS + 5 * MINUTE_MS * n for n in range(len(values) - 1))]
    found = [register.read(value, time_ms, meter) for time_ms, value in zip(times, values, strict=True)]
    return register, [step.event.value for step in found]


def test_three_digits_roll_over():
    """998.12 to 4.05 of a register that ends at 1000 is 5.93 m3, and goes on."""
    register, events = told([998.12, 4.05, 4.09, 4.09, 4.15], Meter(modulus=1000, most_per_hour=5))
    assert events == ["first", "rollover", "normal", "normal", "normal"]
    assert round(register.total, 6) == 6.03


def test_a_camera_that_reads_two_litres_too_few():
    """A step back within the noise is neither a reset nor backflow, and is not counted when it is regained."""
    register, events = told([87.2210, 87.2188, 87.2190, 87.2215], Meter(modulus=1000, most_per_hour=5))
    assert events == ["first", "jitter", "normal", "normal"]
    assert round(register.total, 6) == 0.0005


@pytest.mark.samples
@pytest.mark.skipif(
    not SAMPLES.exists(), reason="the third-party payload samples are not beside this checkout"
)
@pytest.mark.parametrize(
    ("name", "events", "total"),
    [
        ("rollover_log_issue3026", ["first", "rollover", "normal", "normal", "normal"], 13.44),
        ("misread_neg_rate_issue2744", ["first", "jitter", "normal"], 0.0),
    ],
)
def test_the_published_sequences(name, events, total):
    """13.37 m3 over the end of a three-digit register and 70 L after; and a tremble that counts nothing."""
    lines = json.loads((SAMPLES / "aiontheedge" / f"{name}.json").read_text())["log"]
    read = [match for line in lines if (match := _RAW.search(line.replace("Read:  -", "Read: -")))]
    truth = next(
        json.loads(row.split("\t")[6])
        for row in (SAMPLES / "index.tsv").read_text().splitlines()
        if name in row
    )
    values = [float(read[0][2]), *(float(match[1]) for match in read)]
    assert values == truth["sequence"]
    register, found = told(values, Meter(modulus=truth.get("rollover_modulus", 1000), most_per_hour=5))
    assert found == events
    assert round(register.total, 6) == total
