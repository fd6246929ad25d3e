"""Who sends a request: a cookie for people, a bearer token for programs.

The cookie is ``HttpOnly`` and ``SameSite=Lax``, and means nothing but a row of the sessions; an unsafe request that carries
it must also name our own host in ``Origin`` (every browser sends one with POST), so another site's page cannot act for a
signed-in person.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from api.accounts import Account, Scope
from api.errors import ForeignRequest, NotAllowed, NotSignedIn, PersonNeeded
from api.services import Services
from campus.clock import DAY_MS, SECOND_MS

COOKIE = "shouyuan_session"
#: as long as browsers keep one; the server ends a session long before, when it is not used
_COOKIE_LIVES_S = 400 * DAY_MS // SECOND_MS
_SAFE = {"GET", "HEAD", "OPTIONS"}


def account_of(request: Request) -> Account | None:
    """Who sends this request, by token or cookie."""
    account = current_account(request)
    if account is not None and account.is_person and request.method not in _SAFE:
        check_origin(request)
    return account


def current_account(request: Request) -> Account | None:
    """Who the token or cookie of *request* stands for at this moment."""
    services: Services = request.app.state.services
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return services.accounts.of_token(token.strip(), address_of(request), services.now_ms())
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return None
    return services.accounts.of_cookie(cookie, address_of(request), services.now_ms())


def check_origin(request: Request) -> None:
    """Raises :class:`ForeignRequest` unless ``Origin`` (or ``Referer``) is this very host."""
    origin = request.headers.get("origin") or request.headers.get("referer") or ""
    if urlsplit(origin).netloc != request.headers.get("host", ""):
        raise ForeignRequest(origin)


def address_of(request: Request) -> str:
    """From where a request comes."""
    return request.client.host if request.client else ""


def device_of_request(request: Request) -> str:
    """What the browser calls itself."""
    return request.headers.get("user-agent", "")[:200]


def set_cookie(request: Request, response: Response, cookie: str) -> None:
    """Hands a session's cookie to the browser."""
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, cookie, max_age=_COOKIE_LIVES_S, httponly=True, samesite="lax", secure=secure)


class SignedIn:
    """A dependency that gives the account with the scope *needed*, *person*'s only, or answers 401 or 403.

    A :class:`api.transport.guarded_route.GuardedRoute` has asked already, before it read the body.
    """

    def __init__(self, needed: Scope, *, person: bool = False) -> None:
        self.needed = needed
        self.person = person

    @property
    def rank(self) -> tuple[int, bool]:
        """The stricter of two has the higher one."""
        return list(Scope).index(self.needed), self.person

    def __call__(self, request: Request) -> Account:
        known: Account | None = getattr(request.state, "account", None)
        return self._check(known) if known is not None else self.admit(request)

    def admit(self, request: Request) -> Account:
        """Looks the account up; raises :class:`NotSignedIn`, :class:`NotAllowed` or :class:`PersonNeeded`."""
        account = account_of(request)
        if account is None:
            raise NotSignedIn
        return self._check(account)

    def _check(self, account: Account) -> Account:
        if self.person and not account.is_person:
            raise PersonNeeded
        if not account.may(self.needed):
            raise NotAllowed(self.needed.value, account.scopes)
        return account
