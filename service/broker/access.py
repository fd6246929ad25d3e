"""Who may do what at the embedded broker, and as what mosquitto and nats-server read it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Sequence

import msgspec

#: passwords here are random and long, so few rounds are enough; mosquitto_passwd takes 101 as well
_PBKDF2_ROUNDS = 101
#: the name nats-server gives those who come without one
_ANONYMOUS = "anonymous"
#: what a subscription of QoS 1 needs at nats-server, for each client's own deliveries only
_NATS_DELIVERY = ("$MQTT.sub.>", "$MQTT.deliver.pubrel.>")
#: nats-server's own subjects: whoever may publish "everything" may not steer the server
_NATS_INTERNAL = ("$JS.>", "$JSC.>", "$MQTT.>", "$SYS.>", "$SRV.>", "$NRG.>", "$KV.>", "$O.>", "_INBOX.>")
#: what mosquitto's ``#`` does not cover (MQTT 5, 4.7.2); the service listens to the broker's own counts
_BROKER_TOPICS = "$SYS/#"


class Account(msgspec.Struct, frozen=True):
    """One account and its rights. *user* is empty for whoever gives no name.

    *publish* and *subscribe* are topic filters. *trusted* may do everything. The password is known in clear (*password*)
    or as hashes only: *pbkdf2* for mosquitto, *bcrypt* for nats-server.
    """

    user: str = ""
    password: str = ""
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    trusted: bool = False
    pbkdf2: str = ""
    bcrypt: str = ""


def pbkdf2(password: str) -> str:
    """*password* as mosquitto 2 keeps it in its password file."""
    salt = os.urandom(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _PBKDF2_ROUNDS)
    return f"$7${_PBKDF2_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def mosquitto_passwords(accounts: Iterable[Account]) -> str:
    """The password file's text."""
    named = (account for account in accounts if account.user and (account.password or account.pbkdf2))
    return "".join(f"{account.user}:{account.pbkdf2 or pbkdf2(account.password)}\n" for account in named)


def mosquitto_rights(accounts: Sequence[Account], dollar_topics: Iterable[str]) -> str:
    """The ACL file's text. *dollar_topics* are the filters beginning with a dollar sign that we listen to."""
    lines: list[str] = []
    dollar = sorted({f"{topic.split('/', maxsplit=1)[0]}/#" for topic in dollar_topics} - {_BROKER_TOPICS})
    for account in sorted(
        accounts, key=lambda account: account.user
    ):  # whoever has no name stands first there
        lines += ["", f"user {account.user}"] if account.user else []
        if account.trusted:
            lines += [f"topic readwrite {topic}" for topic in ("#", *dollar)]
            lines.append(f"topic read {_BROKER_TOPICS}")
            continue
        publish = (*account.publish, *dollar) if "#" in account.publish else account.publish
        lines += [f"topic write {topic}" for topic in publish]
        lines += [f"topic read {topic}" for topic in account.subscribe]
    return "\n".join(lines) + "\n"


def nats_authorization(accounts: Sequence[Account]) -> tuple[str, str]:
    """nats-server's ``authorization`` block, and its ``no_auth_user``; both empty where everybody may do everything."""
    if all(account.trusted and not account.user for account in accounts):
        return "", ""
    users = ",\n  ".join(_nats_user(account) for account in accounts)
    nameless = any(not account.user for account in accounts)
    return f"authorization {{ users: [\n  {users}\n] }}", _ANONYMOUS if nameless else ""


def _nats_user(account: Account) -> str:
    # whoever names himself so has the same rights as without a name
    password = account.bcrypt or account.password or _ANONYMOUS
    login = f"user: {json.dumps(account.user or _ANONYMOUS)}, password: {json.dumps(password)}"
    if account.trusted:
        return f"{{ {login} }}"
    publish = sorted({subject for topic in account.publish for subject in nats_subjects(topic)})
    subscribe = sorted({subject for topic in account.subscribe for subject in nats_subjects(topic)})
    write = f"allow: {json.dumps(publish)}, deny: {json.dumps(_NATS_INTERNAL)}"
    if not publish:
        write = 'deny: ">"'
    read = f"allow: {json.dumps([*subscribe, *_NATS_DELIVERY])}"
    return f"{{ {login}, permissions: {{ publish: {{ {write} }}, subscribe: {{ {read} }} }} }}"


def nats_subjects(topic: str) -> tuple[str, ...]:
    """The subjects that stand for a topic filter there; none for what cannot be said, as a space.

    A filter ending in ``/#`` covers its parent, too (MQTT 5, 4.7.1.2), which takes a second subject.
    """
    if any(character.isspace() for character in topic):
        return ()
    subject = ""
    for index, character in enumerate(topic):
        if character != "/":
            subject += {".": "//", "+": "*", "#": ">"}.get(character, character)
        elif not subject or subject.endswith("."):
            subject += "/."  # an empty level
        else:
            subject += "./" if topic[index + 1 : index + 2] in {"", "/"} else "."
    return (subject.removesuffix(".>"), subject) if subject.endswith(".>") else (subject,)
