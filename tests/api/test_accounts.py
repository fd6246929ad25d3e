"""Users, tokens, sessions and their audit, on a database alone."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.orm import Session

from api.accounts import AccountRole, Accounts, Act, Actor, Scope
from api.accounts.passwords import Passwords
from api.accounts.sessions import IDLE_MS
from api.accounts.tries import Tries
from api.errors import BadRequest, LastAdministrator, NameTaken, NotFound, Overloaded, TooManyTries
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from store.operations import database as operations
from store.operations.database import open_database
from store.operations.tables import Base, SessionRow, SignInLinkRow

BOSS = Actor("boss", "10.0.0.1")
SUN = "sun-password"
HERE = {"address": "10.0.0.9", "device": "Firefox"}


#: argon2 as it is, but quick
QUICK = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A database with an administrator and a duty person, made once."""
    file = tmp_path_factory.mktemp("accounts") / "operations.db"
    database = open_database(f"sqlite:///{file}")
    accounts = Accounts(database)
    accounts.passwords._hasher = QUICK
    accounts.add_user("boss", "赵主任", AccountRole.ADMIN, "boss-password", 1)
    accounts.add_user("sun", "孙师傅", AccountRole.DUTY, "sun-password", 1)
    database.dispose()
    return file


@pytest.fixture
def file(tmp_path, template):
    return Path(shutil.copy(template, tmp_path / "operations.db"))


@pytest.fixture
def accounts(file):
    database = open_database(f"sqlite:///{file}")
    accounts = Accounts(database)
    accounts.passwords._hasher = QUICK
    yield accounts
    database.dispose()


def sign_in(accounts, name="sun", password=SUN, now_ms=10, **where):
    return accounts.sign_in(name, password, now_ms=now_ms, **HERE | where)


def test_twenty_guesses_at_once_are_no_more_than_five(accounts):
    """A try counts from when it begins: of twenty at once at most five are looked at."""
    begin = threading.Barrier(20)

    def guess(number):
        begin.wait(30)
        try:
            return sign_in(accounts, password=f"guess-{number}")
        except TooManyTries:
            return "refused"
        except Overloaded:
            return "later"

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(guess, range(20)))
    assert found.count(None) <= 5
    assert "refused" in found


def test_a_queue_for_argon2_is_short(accounts):
    """Whoever would wait behind too many is turned away at once, and not counted as having guessed."""
    inside, let_go = threading.Event(), threading.Event()

    class Slow:
        def verify(self, password, kept):
            inside.set()
            let_go.wait(30)
            return False

    accounts.passwords = Passwords(waiting=0)
    accounts.passwords._hasher = Slow()
    first = threading.Thread(target=sign_in, args=(accounts,))
    first.start()
    assert inside.wait(30)
    for _ in range(10):
        with pytest.raises(Overloaded) as refused:
            sign_in(accounts)
        assert refused.value.headers == {"retry-after": "3"}
    let_go.set()
    first.join(30)
    assert not first.is_alive()


def test_no_transaction_is_open_while_a_password_is_compared(accounts, file):
    """Argon2 runs while anybody else can write."""
    true_hasher, wrote = accounts.passwords._hasher, []

    class Writing:
        def verify(self, password, kept):
            other = sqlite3.connect(file, timeout=0, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
            other.close()
            wrote.append(kept)
            return true_hasher.verify(password, kept)

    accounts.passwords._hasher = Writing()
    assert sign_in(accounts) is not None
    assert sign_in(accounts, password="wrong") is None
    assert len(wrote) == 2


def test_asking_who_it_is_waits_for_no_writer(accounts, file):
    """While somebody else writes, cookies and tokens are looked up all the same."""
    cookie, token = sign_in(accounts), accounts.make_token("grafana", AccountRole.VIEWER, 1)
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    later_ms = 10 + MINUTE_MS
    assert accounts.of_cookie(cookie, "", later_ms).name == "sun"
    assert accounts.of_token(token, "", later_ms).name == "grafana"
    writer.execute("ROLLBACK")
    writer.close()


def test_five_tries_slow_down_one_address_only():
    """Whoever guesses is held up; the person himself, elsewhere, is not."""
    tries = Tries(lambda _name: ())
    for _ in range(5):
        tries.begin("admin", "203.0.113.5", 0)
    with pytest.raises(TooManyTries) as refused:
        tries.begin("admin", "203.0.113.5", MINUTE_MS)
    assert refused.value.wait_s == 240
    tries.begin("admin", "198.51.100.7", MINUTE_MS)
    tries.begin("admin", "203.0.113.5", 5 * MINUTE_MS)


def test_a_clock_set_back_holds_nobody_up():
    """Tries of a time that lies ahead, as the clock was set back since, count no more."""
    tries = Tries(lambda _name: ())
    for _ in range(5):
        tries.begin("admin", "203.0.113.5", 3 * 365 * 24 * 60 * MINUTE_MS)
    tries.begin("admin", "203.0.113.5", MINUTE_MS)


def test_guessing_from_everywhere_does_not_lock_the_person_out():
    """A name's budget ends guessing from many addresses; where the person is signed in already it does not count."""
    tries = Tries(lambda name: {"2001:db8:1:2::9"} if name == "admin" else ())
    passed = 0
    for number in range(200):
        try:
            tries.begin("admin", f"203.0.113.{number}", number)
            passed += 1
        except TooManyTries:
            continue
    assert passed == 30
    tries.begin("admin", "2001:db8:1:2::77", 300)  # the same /64
    tries.begin("sun", "198.51.100.1", 300)


def test_one_address_does_not_try_every_name():
    """Names in turn are no way around the limit, and what is remembered has an end whatever is typed."""
    tries = Tries(lambda _name: ())
    for number in range(20):
        tries.begin(f"name-{number}", "203.0.113.5", 0)
    with pytest.raises(TooManyTries):
        tries.begin("another", "203.0.113.5", 1)
    for number in range(5_000):
        tries.begin("x" * 1000 + str(number), f"2001:db8:{number:x}::1", 2)
    assert all(len(window) <= 4096 for window in tries._windows)
    assert all(len(key) == 16 for window in tries._windows for key in window)


def test_a_right_password_is_no_guess(accounts):
    """Signing in again and again is never refused."""
    assert all(sign_in(accounts, now_ms=number) for number in range(12))


def test_tokens_and_users_are_two_name_spaces(accounts):
    """A token called like a user is not that user, in rights, in name, or in the audit."""
    token = accounts.make_token("boss", AccountRole.VIEWER, 1)
    account = accounts.of_token(token, "10.0.0.3", 2)
    assert (account.is_person, account.scopes, account.role) == (False, {Scope.READ}, AccountRole.VIEWER)
    assert (account.display_name, account.actor) == ("boss (API)", Actor("token boss", "10.0.0.3"))


def test_a_token_does_what_its_scopes_say_until_it_ends(accounts):
    """Scopes, expiry, disabling and deletion hold from the next request on; the last use is written once a minute."""
    tokens = accounts.tokens
    secret = tokens.add("robot", [Scope.REGISTER], actor=BOSS, now_ms=1, expires_ms=DAY_MS)
    account = accounts.of_token(secret, "", 5)
    assert account.scopes == {Scope.READ, Scope.REGISTER}
    assert tokens.get("robot").last_used_ms is None
    accounts.flush(6)
    assert tokens.get("robot").last_used_ms == 5
    assert accounts.of_token(secret, "", DAY_MS) is None
    tokens.disable("robot", disabled=True, actor=BOSS, now_ms=7)
    assert accounts.of_token(secret, "", 8) is None
    tokens.disable("robot", disabled=False, actor=BOSS, now_ms=9)
    assert accounts.of_token(secret, "", 10) is not None
    with pytest.raises(NameTaken):
        tokens.add("robot", [], actor=BOSS, now_ms=11)
    tokens.delete("robot", actor=BOSS, now_ms=12)
    assert accounts.of_token(secret, "", 13) is None
    with pytest.raises(NotFound):
        tokens.delete("robot", actor=BOSS, now_ms=14)
    everything = tokens.add("all", [Scope.ADMIN], actor=BOSS, now_ms=15)
    assert accounts.of_token(everything, "", 16).scopes == set(Scope)


def test_the_command_lines_changes_are_seen_within_seconds(accounts, file):
    """Another process takes a token and a session away: they are remembered for two seconds, not longer."""
    token, cookie = accounts.make_token("grafana", AccountRole.VIEWER, 1), sign_in(accounts)
    assert accounts.of_token(token, "", 100)
    assert accounts.of_cookie(cookie, "", 100)
    other = Accounts(open_database(f"sqlite:///{file}"))
    other.tokens.delete("grafana", actor=BOSS, now_ms=101)
    other.users.change("sun", disabled=True, actor=BOSS, now_ms=101)
    assert accounts.of_token(token, "", 2_101) is None
    assert accounts.of_cookie(cookie, "", 2_101) is None


@pytest.mark.parametrize(
    "end",
    [
        lambda one: one.users.change("sun", disabled=True, actor=BOSS, now_ms=20),
        lambda one: one.users.delete("sun", actor=BOSS, now_ms=20),
        lambda one: one.users.sign_out("sun", actor=BOSS, now_ms=20),
        lambda one: one.set_password("sun", "another-password", 20),
    ],
    ids=["disabled", "deleted", "signed out everywhere", "password set"],
)
def test_what_ends_every_session(accounts, end):
    """All of a user's sessions and links end at once; nobody else's do."""
    mine, other = sign_in(accounts), sign_in(accounts, "boss", "boss-password")
    link = accounts.make_link("sun", 11)
    assert accounts.of_cookie(mine, "", 12) is not None
    end(accounts)
    assert accounts.of_cookie(mine, "", 21) is None
    assert accounts.sessions.use_link(link, now_ms=21, **HERE) is None
    assert accounts.of_cookie(other, "", 21) is not None


def test_a_session_nobody_uses_ends_after_a_fortnight(accounts):
    """Each use counts, to the minute; fourteen days without one are the end."""
    cookie = sign_in(accounts, now_ms=0)
    week_ms = 7 * DAY_MS
    for number in range(1, 5):
        assert accounts.of_cookie(cookie, "", number * week_ms) is not None
        accounts.flush(number * week_ms)
    assert accounts.of_cookie(cookie, "", 4 * week_ms + IDLE_MS) is not None
    assert accounts.of_cookie(cookie, "", 4 * week_ms + IDLE_MS + 3_000) is None
    accounts.forget_old(10 * week_ms)
    with Session(accounts._database) as session:
        assert session.scalars(sa.select(SessionRow)).all() == []


def test_a_change_during_a_look_up_is_not_remembered_away(accounts):
    """Who was looked up before a change and remembered after it is looked up again."""
    cookie, find = sign_in(accounts), accounts.sessions.find

    def overtaken(key, now_ms):
        found = find(key, now_ms)
        accounts.users.change("sun", disabled=True, actor=BOSS, now_ms=now_ms)
        return found

    accounts.sessions.find = overtaken
    assert accounts.of_cookie(cookie, "", 20) is not None
    accounts.sessions.find = find
    assert accounts.of_cookie(cookie, "", 21) is None


def test_a_password_that_changes_while_it_is_compared_lets_nobody_in(accounts):
    """The session is made only for the password that still holds."""
    kept = accounts.users.kept_password("sun")
    accounts.set_password("sun", "another-password", 5)
    assert accounts.sessions.begin("sun", kept, now_ms=6, **HERE) is None


def test_a_link_is_used_once_and_soon(accounts):
    """Looking at it uses nothing up; using it does; after a quarter of an hour it is none."""
    link = accounts.make_link("sun", 0)
    assert [accounts.sessions.link_is_for(link, 1) for _ in range(3)] == ["孙师傅"] * 3
    assert accounts.of_cookie(accounts.sessions.use_link(link, now_ms=2, **HERE), "", 3).name == "sun"
    assert accounts.sessions.use_link(link, now_ms=4, **HERE) is None
    late = accounts.make_link("sun", 0)
    assert accounts.sessions.link_is_for(late, 15 * MINUTE_MS + 1) is None
    assert accounts.sessions.use_link(late, now_ms=15 * MINUTE_MS + 1, **HERE) is None
    accounts.forget_old(DAY_MS)
    with Session(accounts._database) as session:
        assert session.scalars(sa.select(SignInLinkRow)).all() == []


def test_the_last_administrator_stays(accounts):
    """He is not removed, disabled or made less while nobody else could administrate; one without a password cannot yet."""
    users, how = accounts.users, {"actor": BOSS, "now_ms": 5}
    for act in (
        lambda: users.delete("boss", **how),
        lambda: users.change("boss", disabled=True, **how),
        lambda: users.change("boss", role=AccountRole.DUTY, **how),
    ):
        with pytest.raises(LastAdministrator):
            act()
    users.add("li", "", AccountRole.ADMIN, **how)
    with pytest.raises(LastAdministrator):
        users.delete("boss", **how)
    accounts.set_password("li", "li-has-one", 6)
    users.delete("boss", **how)
    assert users.administrator() == "li"
    with pytest.raises(LastAdministrator):
        users.change("li", disabled=True, **how)


@pytest.mark.parametrize("name", ["", "a b", "x" * 41, "a/b", "token\n", "<b>"])
def test_names_are_names(accounts, name):
    """What could be mistaken in an address, a list or the audit is no name."""
    with pytest.raises(BadRequest):
        accounts.users.add(name, "", AccountRole.VIEWER, actor=BOSS, now_ms=1)
    with pytest.raises(BadRequest):
        accounts.tokens.add(name, [], actor=BOSS, now_ms=1)


def test_fifty_devices_a_person(accounts):
    """The fifty-first signs out the one unused for longest."""
    cookies = [accounts.sessions.use_link(accounts.make_link("sun", n), now_ms=n, **HERE) for n in range(51)]
    assert accounts.of_cookie(cookies[0], "", 60) is None
    assert accounts.of_cookie(cookies[1], "", 60) is not None


def test_failed_sign_ins_are_counted_not_listed(accounts):
    """A flood of guesses makes a few entries a minute; a name nobody has may be a password and is not written down."""
    for number in range(1000):
        accounts.audit.note_failure(Act.SIGN_IN_FAILED, "sun", f"10.0.{number % 200}.1")
    with pytest.raises(TooManyTries):
        for _ in range(6):
            sign_in(accounts, "my-secret-password", "oops")
    accounts.flush(99)
    found = [one for one in accounts.audit.find(limit=1000) if one.act.startswith("sign_in_")]
    assert len(found) <= 53
    assert sum(one.detail["times"] for one in found) == 1006
    assert {one.subject for one in found} == {"sun", ""}


def test_an_entry_that_cannot_be_written_waits(accounts, monkeypatch):
    """The act is done; its entry is kept, counted as waiting, and written when the database takes it."""
    audit = accounts.audit
    true_database = audit._database
    audit._database = sa.create_engine("sqlite:////nowhere/at/all.db")
    audit.note(BOSS, Act.ALERT_ACKNOWLEDGED, "alert 7", 50, surrogate="\ud800", huge=10**30)
    assert audit.waiting == 1
    audit.flush(51)
    assert audit.waiting == 1
    audit._database = true_database
    accounts.flush(52)
    assert audit.waiting == 0
    newest = audit.find(limit=1)[0]
    assert (newest.time_ms, newest.who, newest.address, newest.act, newest.subject) == (
        50, "boss", "10.0.0.1", "alert_acknowledged", "alert 7",
    )  # fmt: skip


def test_the_audit_forgets_after_three_years(accounts):
    """Older entries go, and the oldest of too many."""
    day = 1000 * DAY_MS
    for number in range(10):
        accounts.audit.note(BOSS, Act.ALERT_NOTED, number, day + number * HOUR_MS)
    accounts.audit.forget_old(day + 3 * 366 * DAY_MS + 5 * HOUR_MS)
    assert [int(one.subject) for one in accounts.audit.find(act="alert_noted")] == [9, 8, 7, 6, 5]
    accounts.audit.forget_old(day, most=2)
    assert [int(one.subject) for one in accounts.audit.find()] == [9, 8]


def test_the_audit_pages(accounts):
    """Newest first, on with the last id, by who, act and subject."""
    for number in range(5):
        accounts.audit.note(BOSS, Act.ALERT_NOTED, number, number)
    first = accounts.audit.find(limit=2)
    second = accounts.audit.find(limit=2, before_id=first[-1].id)
    assert [one.subject for one in (*first, *second)] == ["4", "3", "2", "1"]
    assert [one.subject for one in accounts.audit.find(who="boss", act="alert_noted", subject="3")] == ["3"]


def test_a_database_of_before_is_brought_over(tmp_path):
    """Users keep role and password, tokens their rights, links and the audit stay; the tables are as the code has them."""
    file = tmp_path / "operations.db"
    engine = sa.create_engine(f"sqlite:///{file}")
    config = Config()
    config.set_main_option("script_location", str(operations._MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for statement in (
            "INSERT INTO users VALUES (1, 'admin', '管理员', 'admin', 'kept', 3, 0, 5)",
            "INSERT INTO sign_in_links VALUES ('aa', 1, 99, NULL)",
            "INSERT INTO api_tokens VALUES ('h1', 'grafana', 'viewer', 5, NULL), ('h2', 'robot', 'admin', 5, NULL)",
            "INSERT INTO audit VALUES (1, 5, 'admin', 'ordered a drill', '{}')",
            "INSERT INTO secrets VALUES ('cookie', 'key')",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    database = open_database(f"sqlite:///{file}")
    accounts = Accounts(database)
    user = accounts.users.get("admin")
    assert (user.role, user.has_password, user.disabled) == (AccountRole.ADMIN, True, False)
    assert [one.scopes for one in accounts.tokens.all()] == [(Scope.READ,), tuple(sorted(Scope))]
    assert accounts.audit.find()[0].act == Act.DRILL_ORDERED
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.exec_driver_sql("SELECT count(*) FROM sign_in_links").scalar() == 1
    database.dispose()
