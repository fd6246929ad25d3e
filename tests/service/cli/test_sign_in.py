"""What ``shouyuan up`` says of signing in."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from api.accounts import AccountRole, Accounts, Actor
from service.cli import up as cli_up
from store.operations.database import open_database

BOSS = Actor("boss")


@pytest.fixture
def runtime(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'operations.db'}")
    yield SimpleNamespace(accounts=Accounts(database), now_ms=lambda: 1)
    database.dispose()


def test_a_link_only_while_nobody_has_a_password(runtime, capsys):
    """For whichever administrator there is, whatever the name; none once somebody has a password, or for nobody."""
    cli_up._say_how_to_sign_in(runtime, "http://page")
    assert "shouyuan user add" in capsys.readouterr().out
    runtime.accounts.users.add("li", "", AccountRole.ADMIN, actor=BOSS, now_ms=1)
    cli_up._say_how_to_sign_in(runtime, "http://page")
    assert "(li): http://page/sign-in/link?token=" in capsys.readouterr().out
    runtime.accounts.set_password("li", "a-good-password", 1)
    cli_up._say_how_to_sign_in(runtime, "http://page")
    assert "token=" not in capsys.readouterr().out
