"""Every rule there is."""

from __future__ import annotations

from rules.cold import AboveLimit
from rules.electricity import LeftOn
from rules.pipe import PipeCold
from rules.rule import Rule
from rules.sensor import Silent
from rules.water import Burst, NeverZero


def catalogue() -> dict[str, Rule]:
    """All rules by name, in a fixed order."""
    every: list[Rule] = [Burst(), NeverZero(), PipeCold(), AboveLimit(), LeftOn(), Silent()]
    return {rule.name: rule for rule in every}
