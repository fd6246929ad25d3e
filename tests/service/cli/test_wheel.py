"""The wheel by itself: built, installed outside of the source tree, and started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx2
import pytest
from tests_support import PATIENCE_S, wait_until

from service.version import VERSION

ROOT = Path(__file__).parents[3]
ROOMS = ("alerts", "api", "campus", "dashboards", "ingest", "rules", "service", "simulators", "store")
BUILT_FROM = (*ROOMS, "examples", "pyproject.toml", "setup.py", "README.md", "LICENSE")
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.pyc")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built offline from a copy, as building leaves folders behind."""
    source = tmp_path_factory.mktemp("source")
    for name in BUILT_FROM:
        here = ROOT / name
        if here.is_dir():
            shutil.copytree(here, source / name, ignore=LEFT_BEHIND)
        else:
            shutil.copy(here, source / name)
    into = tmp_path_factory.mktemp("wheel")
    _run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "-w",
        into,
        source,
    )
    (built,) = into.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of the programs of an environment that has the wheel, and borrows the packages it depends on from ours."""
    environment = tmp_path_factory.mktemp("environment")
    _run(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / "bin" / "python"
    _run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel)
    (packages,) = environment.glob("lib/*/site-packages")
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    return python.parent


def _run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _files(folder):
    """What lies in the repository under *folder*, but for what running it leaves."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_the_wheel_holds_every_file_of_the_rooms_and_the_example_school(wheel):
    """Whatever lies in a room (template, scenario, translation, migration, script) is in the wheel, and nothing beside the rooms; it has the code's version."""
    expected = set().union(*map(_files, ROOMS)) | {f"service/{name}" for name in _files("examples")}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    held = {name for name in names if ".dist-info/" not in name}
    assert held == expected
    assert wheel.name.split("-")[1] == VERSION


def test_the_demonstration_runs_from_the_wheel(installed, tmp_path):
    """Started in an empty folder, it simulates the example school and its one-time link opens the page."""
    output = tmp_path / "output"
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH" and not name.startswith("SHOUYUAN_")
    }
    where = _run(installed / "python", "-I", "-c", "import service.version; print(service.version.__file__)")
    assert Path(where.strip()).is_relative_to(installed.parent)
    with output.open("wb") as written:
        demo = subprocess.Popen(
            [installed / "shouyuan", "up", "--demo", "--data", tmp_path / "data", "--port", "0"],
            cwd=tmp_path,
            env=environment,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: "sign-in/link?token=" in output.read_text("utf-8") or demo.poll() is not None)
        text = output.read_text("utf-8")
        assert "sign-in/link?token=" in text, text
        link = next(word for word in text.split() if "sign-in/link?token=" in word)
        with httpx2.Client(timeout=PATIENCE_S) as page:
            assert page.get(link).status_code == 200
            assert page.get(link.split("sign-in")[0] + "static/page.css").status_code == 200
        demo.send_signal(signal.SIGINT)
        assert demo.wait(PATIENCE_S) == 0, output.read_text("utf-8")
    finally:
        demo.kill()
        demo.wait(PATIENCE_S)
