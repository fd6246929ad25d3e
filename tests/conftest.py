"""Fixtures for every room: a small campus, temporary stores, real brokers, a clock that only moves when told."""

from __future__ import annotations

import os
import shutil
import sysconfig
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.schema import CreateSchema, DropSchema

from campus.campus import Campus
from campus.device import Device, Place
from campus.site import Site
from service.broker import config as broker_config
from service.broker.embedded import EmbeddedBroker
from store.journal.journal import Journal
from store.operations.database import open_database

# A busy machine is no finding; what takes too long by itself is found by pytest's own limit.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

#: 2026-11-21 12:00 in Shanghai, a Saturday in term
NOON_MS = 1_795_233_600_000


class Clock:
    """Time that moves only when told."""

    def __init__(self, now_ms: int = NOON_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def forward(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords():
    """Passwords are hashed as in the field, but cheaply: its cost is the point of argon2, and of no test."""
    quick = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordHash, "recommended", lambda: quick)
        yield


@pytest.fixture(autouse=True, scope="session")
def _private_files():
    """As the process of ``shouyuan up`` has it: a data folder that others can read is told of."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steady():
    """A clock that nobody sets."""
    return Clock()


@pytest.fixture
def site():
    return Site.model_validate(
        {
            "id": "school",
            "name": "测试学校",
            "buildings": [
                {"id": "canteen", "name": "食堂", "use": "canteen"},
                {"id": "t1", "name": "教学楼", "use": "teaching"},
            ],
            "tariffs": {"water_yuan_m3": 4.0, "electricity_yuan_kwh": 0.5},
            "channels": {"phone": {"kind": "phone_page"}, "console": {"kind": "console"}},
            "routes": [{"severity": "warning", "channels": ["phone"], "fallback": ["console"]}],
        }
    )


@pytest.fixture
def devices():
    canteen, teaching = Place(site="school", building="canteen"), Place(site="school", building="t1")
    return [
        Device(
            id="freezer",
            name="冷冻柜",
            kind="cold_storage",
            place=canteen,
            profile="freezer",
            address="Freezer",
            decoder="zigbee2mqtt",
        ),
        Device(
            id="fridge",
            name="冷藏柜",
            kind="cold_storage",
            place=canteen,
            profile="fridge",
            address="24e124000000000a",
            decoder="chirpstack_v4",
        ),
        Device(
            id="meter",
            name="水表",
            kind="water_meter",
            place=teaching,
            address="33225544",
            decoder="wmbusmeters",
            register_modulus=1000,
        ),
        Device(
            id="circuit",
            name="照明",
            kind="electricity_meter",
            place=teaching,
            address="light",
            decoder="tasmota",
        ),
        Device(
            id="pipe",
            name="管壁",
            kind="pipe_probe",
            place=teaching,
            role="pipe_wall",
            address="pipe1",
            decoder="tasmota",
        ),
        Device(
            id="outdoor",
            name="室外",
            kind="climate",
            place=teaching,
            role="outdoor",
            address="out1",
            decoder="tasmota",
        ),
    ]


@pytest.fixture
def campus(site, devices):
    return Campus(site=site, devices=devices)


@pytest.fixture
def journal(tmp_path):
    opened = Journal(tmp_path / "journal.db", quota_bytes=64 * 1024 * 1024)
    yield opened
    opened.close()


@pytest.fixture
def database(tmp_path):
    """The operations database: SQLite, or where SHOUYUAN_TEST_DATABASE_URL says, in a schema of its own."""
    url = os.environ.get("SHOUYUAN_TEST_DATABASE_URL", "")
    if not url:
        engine = open_database(f"sqlite:///{tmp_path / 'operations.db'}")
        yield engine
        engine.dispose()
        return
    server, schema = sa.create_engine(url), f"test_{uuid.uuid4().hex}"
    with server.begin() as connection:
        connection.execute(CreateSchema(schema))
    engine = open_database(f"{url}?options=-csearch_path%3D{schema}")
    yield engine
    engine.dispose()
    with server.begin() as connection:
        connection.execute(DropSchema(schema, cascade=True))
    server.dispose()


def broker_programs():
    """Every broker that can be embedded here, as test parameters; mosquitto is skipped where it is not installed."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    missing = pytest.mark.skipif(
        mosquitto is None, reason="mosquitto is not installed (Debian package mosquitto)"
    )
    nats = Path(sysconfig.get_path("scripts")) / "nats-server"
    return [
        pytest.param(mosquitto, id="mosquitto", marks=[pytest.mark.mosquitto, missing]),
        pytest.param(str(nats), id="nats-server"),
    ]


def pytest_generate_tests(metafunc):
    if "broker_program" in metafunc.fixturenames:
        programs = broker_programs()
        if metafunc.definition.get_closest_marker("only_mosquitto"):
            programs = [one for one in programs if one.id == "mosquitto"]
        metafunc.parametrize("broker_program", programs)


@pytest.fixture
def impatient_nats(monkeypatch):
    """nats-server delivers again after a second what was not acknowledged, not after ten."""
    patient = broker_config._NATS
    assert '"10s"' in patient
    monkeypatch.setattr(broker_config, "_NATS", patient.replace('"10s"', '"1s"'))


@pytest.fixture
def broker(broker_program, tmp_path):
    """A broker of ours, started: of each kind there is."""
    started = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    started.start()
    yield started
    started.stop()
