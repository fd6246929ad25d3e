"""Who may sign in, what he may do, and what was done: users, tokens, sessions, audit."""

from api.accounts.account import Account, AccountRole, Actor, Scope, completed
from api.accounts.accounts import SERVICE, Accounts, check_new_password
from api.accounts.audit import Act, AuditEntry, AuditLog
from api.accounts.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD
from api.accounts.sessions import LINK_LIVES_MS, SessionView
from api.accounts.tokens import Token
from api.accounts.users import User

__all__ = [
    "LINK_LIVES_MS",
    "LONGEST_PASSWORD",
    "SERVICE",
    "SHORTEST_PASSWORD",
    "Account",
    "AccountRole",
    "Accounts",
    "Act",
    "Actor",
    "AuditEntry",
    "AuditLog",
    "Scope",
    "SessionView",
    "Token",
    "User",
    "check_new_password",
    "completed",
]
