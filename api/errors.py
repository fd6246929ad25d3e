"""The errors of the API.

ApiError
├── NotFound         nothing of that name or number
├── BadRequest       a parameter is not what it should be; names it
├── Busy             one such thing at a time, and one is under way
├── NotSignedIn      no session, no token, or one that is void
├── NotAllowed       signed in, but without the scope that is needed
├── PersonNeeded     only a person who has signed in may do this, no token
├── WrongPassword    the old password is not right
├── NameTaken        a user or token of that name exists
├── LastAdministrator nobody could administrate any more
├── ForeignRequest   an unsafe request that did not come from our own pages
├── TooManyStreams   an account, or all together, have as many live feeds open as there may be
├── BodyTooLarge     what was sent is longer than the route has use for
├── BodyUnusable     what was sent holds what cannot be kept; names it
└── Later            not now; says when to try again
    ├── TooManyTries     too many failed sign-ins
    └── Overloaded       too many passwords are being compared at this moment
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.exceptions import HTTPException

_SHOWN_CHARACTERS = 120


class ApiError(Exception):
    """Base of every error this room raises; *status* is the HTTP answer's."""

    status = 500

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)

    @property
    def headers(self) -> dict[str, str]:
        """What the answer carries besides."""
        return {}


class NotFound(ApiError):
    """Raised for a device, alert or message that does not exist."""

    status = 404

    def __init__(self, kind: str, found: object) -> None:
        super().__init__(f"{kind} {shortened(found)} does not exist")


class BadRequest(ApiError):
    """Raised for a parameter that cannot be used."""

    status = 422

    def __init__(self, name: str, found: object, expected: str) -> None:
        super().__init__(f"{printable(name)} is {shortened(found)}; expected {expected}")


class Busy(ApiError):
    """Raised for what is done once at a time while it is being done."""

    status = 409

    def __init__(self, what: str) -> None:
        super().__init__(f"another {what} is under way; try again when it is done")


class NotSignedIn(ApiError):
    """Raised where a session or token is needed and there is none that holds."""

    status = 401

    def __init__(self) -> None:
        super().__init__("sign in first, or send a token as 'Authorization: Bearer …'")


class NotAllowed(ApiError):
    """Raised where a scope is missing."""

    status = 403

    def __init__(self, needed: str, granted: Iterable[str]) -> None:
        super().__init__(f"this needs the scope {needed}; you have {', '.join(sorted(granted))}")


class PersonNeeded(ApiError):
    """Raised where a token tries what only a signed-in person may do."""

    status = 403

    def __init__(self) -> None:
        super().__init__("this is for a person who has signed in; a token cannot do it")


class WrongPassword(ApiError):
    """Raised where the old password that was given is not right."""

    status = 403

    def __init__(self) -> None:
        super().__init__("the old password is not right")


class NameTaken(ApiError):
    """Raised for a new user or token whose name another has."""

    status = 409

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is a {kind} {name!r} already; expected a name nobody has")


class LastAdministrator(ApiError):
    """Raised where a change would leave nobody to administrate."""

    status = 409

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is the last administrator who can sign in; make another one first and let him set a password"
        )


class ForeignRequest(ApiError):
    """Raised for an unsafe request with a session cookie that another site's page could have sent."""

    status = 403

    def __init__(self, origin: str) -> None:
        super().__init__(f"refused: the request comes from {origin!r}, not from this service's own pages")


class Later(ApiError):
    """Base of what may succeed in *wait_s*."""

    def __init__(self, text: str, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(text)

    @property
    def headers(self) -> dict[str, str]:
        return {"retry-after": str(self.wait_s)}


class TooManyTries(Later):
    """Raised after repeated failed sign-ins from one address or for one name."""

    status = 429

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many failed sign-ins; try again in {wait_s} s", wait_s)


class TooManyStreams(ApiError):
    """Raised where a live feed would be one too many; *mine* when the account's own are."""

    def __init__(self, most: int, *, mine: bool) -> None:
        self.status = 429 if mine else 503
        whose = "your account has" if mine else "there are"
        super().__init__(f"{whose} {most} live pages open, the most there may be; close one")


class BodyTooLarge(HTTPException):
    """Raised while a body is read; FastAPI lets only its own kind of error through there."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(413, f"the body is too large; expected at most {most_bytes} bytes")


class Overloaded(Later):
    """Raised where too many passwords wait to be compared."""

    status = 503

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many people are signing in at this moment; try again in {wait_s} s", wait_s)


class BodyUnusable(HTTPException):
    """Raised while a body is read, for text, numbers or nesting that no database takes; names where."""

    def __init__(self, where: str, found: object, expected: str) -> None:
        super().__init__(422, f"{printable(where)} is {shortened(found)}; expected {expected}")


def shortened(found: object) -> str:
    """What was found, printable and not at length."""
    try:
        text = repr(found)
    except ValueError:  # a number with thousands of digits
        return "a number of thousands of digits"
    return printable(text) if len(text) <= _SHOWN_CHARACTERS else f"{printable(text[:_SHOWN_CHARACTERS])}…"


def printable(text: str) -> str:
    """*text* as UTF-8 takes it."""
    return text.encode(errors="backslashreplace").decode()
