"""What the parts of site.yaml and calendar.yaml say of each other.

Checked on the files as read, not on the models: one broken setting must not hide that another is broken, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, get_args

from campus.calendar.calendar import CalendarSettings
from campus.folder.expected import shown, similar
from campus.folder.tables.fields import unit_mistake
from campus.problem import Problem
from campus.site import Building
from campus.store_url import expected_form, read_store_url

_SITE, _CALENDAR = "site.yaml", "calendar.yaml"
_LISTEN = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:]*):(\d{1,5})")
_TOPIC_ADDRESS = re.compile(r"topic:\d+")
#: the decoders that need a mapping, and the kind of it
_KINDS = {"generic": "generic", "raw_modbus": "modbus"}


def check_site(
    body: Mapping[str, Any], recipients: Collection[str], decoders: Collection[str]
) -> Iterator[Problem]:
    """Names that lead nowhere, and texts no model judges. *recipients* are ids and roles that routes can tell."""
    yield from _check_buildings(body)
    yield from _check_brokers(body)
    yield from _check_addresses(body)
    yield from _check_sources(body, decoders)
    for name, mapping in _mapping(body.get("mappings")).items():
        yield from _check_mapping(f"mappings.{name}", _mapping(mapping))
    for index, route in _entries(body.get("routes")):
        yield from _check_route(f"routes[{index}]", route, _mapping(body.get("channels")), recipients)


def check_calendar(settings: CalendarSettings, buildings: Collection[str] | None) -> Iterator[Problem]:
    """Hours and overrides speak of buildings there are; None where site.yaml does not tell them."""
    if buildings is None:
        return
    uses = get_args(Building.model_fields["use"].annotation)
    for name in settings.hours:
        if name not in buildings and name not in uses:
            expected = (
                f"the id of a building, or one of {', '.join(uses)}{similar(name, [*buildings, *uses])}"
            )
            yield Problem(_CALENDAR, 0, f"hours.{name}", name, expected)
    for index, override in enumerate(settings.overrides):
        for one in override.buildings:
            if one not in buildings:
                expected = f"one of {', '.join(sorted(buildings)) or 'none'}{similar(one, buildings)}"
                yield Problem(_CALENDAR, 0, f"overrides[{index}].buildings", one, expected)


def building_ids(body: Mapping[str, Any]) -> dict[str, str] | None:
    """The ids of buildings by id and by name; None where site.yaml has no readable list of them."""
    listed = body.get("buildings", [])
    if not body or not isinstance(listed, list):
        return None
    found = [(one.get("id"), one.get("name")) for _, one in _entries(listed)]
    ids = {str(one): str(one) for one, _ in found if one is not None}
    return {str(name): str(one) for one, name in found if one is not None and name is not None} | ids


def _check_buildings(body: Mapping[str, Any]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, building in _entries(body.get("buildings")):
        one = str(building.get("id", ""))
        if one and one in seen:
            yield Problem(_SITE, 0, f"buildings[{index}].id", one, "an id used once")
        seen.add(one)


def _check_brokers(body: Mapping[str, Any]) -> Iterator[Problem]:
    named = {f"brokers.{name}": _mapping(one) for name, one in _mapping(body.get("brokers")).items()}
    if named and "broker" in body:
        yield Problem(_SITE, 0, "brokers", "broker and brokers", "one of broker and brokers")
    embedded = [key for key, one in named.items() if one.get("url", "embedded") == "embedded"]
    for key in embedded[1:]:
        expected = f"mqtt://host:port or mqtts://host:port, as {embedded[0]} is the embedded one"
        yield Problem(_SITE, 0, f"{key}.url", "embedded", expected)
    for key, broker in {"broker": _mapping(body.get("broker")), **named}.items():
        listen = broker.get("listen")
        if isinstance(listen, str):
            match = _LISTEN.fullmatch(listen)
            if match is None or int(match[2]) > 65_535:
                yield Problem(_SITE, 0, f"{key}.listen", listen, "host:port, such as 127.0.0.1:1883")
            elif broker.get("url", "embedded") == "embedded" and not _may_listen(match[1], broker):
                # Not a mistake of the folder's alone: accounts of single devices lie in the data folder.
                expected = (
                    f"username and password_file under {key}, accounts of devices (shouyuan broker accounts add), or 127.0.0.1; "
                    "without any of them it does not start"
                )
                found = f"{listen} without an account"
                yield Problem(_SITE, 0, f"{key}.listen", found, expected, warning=True)
        for certificate in ("tls", "listen_tls"):
            pair = [f"{certificate}_cert_file", f"{certificate}_key_file"]
            missing = [one for one in pair if not broker.get(one)]
            if len(missing) == 1:
                yield Problem(
                    _SITE,
                    0,
                    f"{key}.{missing[0]}",
                    "nothing",
                    f"a file: {' and '.join(pair)} belong together",
                )


def _may_listen(host: str, broker: Mapping[str, Any]) -> bool:
    """Whoever reaches a broker without an account can send what alarms are made of: this machine may, a network may not."""
    has_account = bool(broker.get("username")) and bool(broker.get("password") or broker.get("password_file"))
    return has_account or host in {"127.0.0.1", "[::1]", "localhost"}


def _check_addresses(body: Mapping[str, Any]) -> Iterator[Problem]:
    store = body.get("store")
    if isinstance(store, str):
        url = read_store_url(store)
        if url is None or url.folder:
            # Not shown: where it is wrong, it may hold the token all the same.
            yield Problem(_SITE, 0, "store", "another text", expected_form(store))


def _check_sources(body: Mapping[str, Any], decoders: Collection[str]) -> Iterator[Problem]:
    mappings = _mapping(body.get("mappings"))
    for index, source in _entries(body.get("sources")):
        key = f"sources[{index}]"
        decoder, mapping, topic = (source.get(name) for name in ("decoder", "mapping", "topic"))
        broker, brokers = source.get("broker"), _mapping(body.get("brokers"))
        if isinstance(broker, str) and broker and broker not in brokers:
            expected = f"a name under brokers{similar(broker, brokers)}"
            yield Problem(_SITE, 0, f"{key}.broker", broker, expected)
        if isinstance(decoder, str) and decoders and decoder not in {"auto", *decoders}:
            expected = f"auto or one of {', '.join(sorted(decoders))}{similar(decoder, decoders)}"
            yield Problem(_SITE, 0, f"{key}.decoder", decoder, expected)
        if mapping or str(decoder) in _KINDS:
            yield from _check_use(f"{key}.mapping", decoder, mapping, mappings)
        if isinstance(topic, str) and not _is_filter(topic):
            expected = "a topic; + stands for one whole level, # for all that follow, at the end only"
            yield Problem(_SITE, 0, f"{key}.topic", shown("", topic or None), expected)


def _check_use(key: str, decoder: object, name: object, mappings: Mapping[str, Any]) -> Iterator[Problem]:
    """The mapping a source names is there, and of the kind its decoder reads."""
    if str(name) not in mappings:
        yield Problem(_SITE, 0, key, shown("", name), f"a name under mappings{similar(str(name), mappings)}")
        return
    kind = _mapping(mappings[str(name)]).get("kind", "generic")
    if isinstance(decoder, str) and kind in _KINDS.values() and _KINDS.get(decoder, kind) != kind:
        yield Problem(_SITE, 0, key, f"{name}, of kind {kind}", f"a mapping of kind {_KINDS[decoder]}")


def _is_filter(topic: str) -> bool:
    """Whether *topic* is a topic filter of MQTT 3.1.1 (section 4.7)."""
    levels = topic.split("/")
    wild = all(level in {"+", "#"} for level in levels if "+" in level or "#" in level)
    return bool(topic) and wild and "#" not in levels[:-1] and "\0" not in topic


def _check_mapping(key: str, mapping: Mapping[str, Any]) -> Iterator[Problem]:
    address = mapping.get("address")
    if isinstance(address, str) and address.startswith("topic:") and not _TOPIC_ADDRESS.fullmatch(address):
        yield Problem(
            _SITE, 0, f"{key}.address", address, "a path, or topic:N with the number of a level from 0"
        )
    of_bytes = mapping.get("kind") == "modbus" and not mapping.get("payload")
    if of_bytes and isinstance(address, str) and not address.startswith("topic:"):
        expected = "topic:N, as bytes have no paths; or payload, the path of the hexadecimal text"
        yield Problem(_SITE, 0, f"{key}.address", address, expected)
    for name, field in _mapping(mapping.get("fields")).items():
        yield from _check_meaning(f"{key}.fields.{name}", _mapping(field))
    for index, reply in _entries(mapping.get("replies")):
        for number, value in _entries(reply.get("values")):
            yield from _check_meaning(f"{key}.replies[{index}].values[{number}]", value)


def _check_meaning(key: str, meant: Mapping[str, Any]) -> Iterator[Problem]:
    """There is such a quantity, and it is measured in that unit."""
    quantity, unit = meant.get("quantity"), meant.get("unit", "")
    if not isinstance(quantity, str) or not isinstance(unit, str):
        return
    mistake = unit_mistake(quantity, "")
    if mistake:
        yield Problem(_SITE, 0, f"{key}.quantity", quantity, mistake)
    elif unit and (mistake := unit_mistake(quantity, unit)):
        yield Problem(_SITE, 0, f"{key}.unit", unit, mistake)


def _check_route(
    key: str, route: Mapping[str, Any], channels: Mapping[str, Any], recipients: Collection[str]
) -> Iterator[Problem]:
    if route.get("channels") == []:
        yield Problem(_SITE, 0, f"{key}.channels", "nothing", "at least one name under channels")
    for field in ("channels", "fallback"):
        for name in _texts(route.get(field)):
            if name not in channels:
                expected = f"a name under channels{similar(name, channels)}"
                yield Problem(_SITE, 0, f"{key}.{field}", name, expected)
    for one in _texts(route.get("to")):
        if one not in recipients:
            expected = f"group, duty, a role, or an id of people.csv{similar(one, recipients)}"
            yield Problem(_SITE, 0, f"{key}.to", one, expected)


def _mapping(value: object) -> Mapping[str, Any]:
    return {str(key): one for key, one in value.items()} if isinstance(value, dict) else {}


def _entries(value: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The mappings of a list, each with its number."""
    for index, one in enumerate(value if isinstance(value, list) else []):
        if isinstance(one, dict):
            yield index, _mapping(one)


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
