"""Scenario files: one YAML file each, with a name in Chinese and English and the faults that happen in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from campus.clock import DAY_MS
from campus.folder.document import read_yaml
from campus.folder.expected import validated
from campus.problem import Problem
from simulators.errors import ScenarioProblems, UnknownScenario
from simulators.faults.fault import AnyFault
from simulators.faults.moment import Duration

#: the scenarios that come with the package
READY = Path(__file__).parents[1] / "scenarios"


class Words(BaseModel):
    """A text in Chinese and in English."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def of(self, language: str) -> str:
        """The text in a site's language."""
        return self.en if language == "en" else self.zh


class Scenario(BaseModel):
    """One story: *rank* orders by how often it happens on campuses (1 first), *lasts* is how long to watch it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", exclude=True)
    rank: int = Field(ge=1, le=999)
    title: Words
    description: Words
    lasts: Annotated[Duration, Field(gt=0)] = DAY_MS
    faults: list[AnyFault] = Field(min_length=1)

    @model_validator(mode="after")
    def _refers_back(self) -> Self:
        for index, fault in enumerate(self.faults):
            if fault.place.same_as is not None and fault.place.same_as >= index:
                raise ValueError(
                    f"faults[{index}].place.same_as: the number of a fault before it (0 is the first)"
                )
        return self


def read_scenario(path: Path) -> Scenario:
    """The scenario of a file; raises :class:`ScenarioProblems` with every mistake in it."""
    problems: list[Problem] = []
    body = read_yaml(path.parent, path.name, problems, required=True)
    if "name" in body:
        problems.append(
            Problem(path.name, 0, "name", str(body.pop("name")), "no name: the file's name is it")
        )
    scenario = validated(Scenario, body, path.name, problems) if body or not problems else None
    if scenario is None or problems:
        raise ScenarioProblems(problems)
    return scenario.model_copy(update={"name": path.stem})


def read_scenarios(folder: Path = READY) -> dict[str, Scenario]:
    """All scenarios of a folder by name, the most common first; raises :class:`ScenarioProblems` with every mistake."""
    found: list[Scenario] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found.append(read_scenario(path))
        except ScenarioProblems as error:
            problems += error.problems
    if problems:
        raise ScenarioProblems(problems)
    return {one.name: one for one in sorted(found, key=lambda one: (one.rank, one.name))}


def scenario_named(name: str, known: dict[str, Scenario]) -> Scenario:
    """The scenario of that name, or of that file where *name* is a path; raises :class:`UnknownScenario`."""
    if name in known:
        return known[name]
    if name.endswith((".yaml", ".yml")):
        return read_scenario(Path(name))
    raise UnknownScenario(name, known)
