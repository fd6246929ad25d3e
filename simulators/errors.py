"""The errors of the simulators.

SimulatorError
├── BadWeather           a weather file cannot be read
├── ScenarioProblems     a scenario file has mistakes; carries every one
├── UnknownScenario      no scenario of that name
├── NoSuchPlace          a scenario's place is not on this campus
├── ParquetMissing       a Parquet file was asked for, and what writes it is not installed
└── BrokerLost           a broker refused the load generator, or went away
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from campus.folder.expected import similar
from campus.problem import Problem


class SimulatorError(Exception):
    """Base of every error this room raises."""


class BadWeather(SimulatorError):
    """Raised where a weather file as a whole, or one row of it, is not what was expected."""

    def __init__(self, file: str, row: int, found: str, expected: str) -> None:
        self.problem = Problem(file, row, "", found, expected)
        super().__init__(f"{self.problem.where()}: {found}; expected {expected}")


class ScenarioProblems(SimulatorError):
    """Raised where a scenario file has mistakes; ``problems`` holds all of them, not the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(
            "; ".join(f"{one.where()}: {one.found}; expected {one.expected}" for one in problems)
        )


class UnknownScenario(SimulatorError):
    """Raised where a scenario is asked for by a name there is none of."""

    def __init__(self, found: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"scenario {found!r} is not known{similar(found, names)}; expected one of {', '.join(names)}"
        )


class NoSuchPlace(SimulatorError):
    """Raised where nothing on the campus answers a fault's place."""

    def __init__(self, scenario: str, key: str, place: str, expected: str) -> None:
        super().__init__(f"{scenario}: {key}: {place} is not on this campus; expected {expected}")


class ParquetMissing(SimulatorError):
    """Raised where a Parquet file is to be written and the extra ``parquet`` is not installed."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"{file}: Parquet is written with polars, and that is not installed; "
            "expected a name that ends in .csv, or shouyuan[parquet] installed"
        )


class BrokerLost(SimulatorError):
    """Raised where the broker refuses the load generator's connection, or ends it."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"{address}: {why}")
