"""What the rows of the register say of each other: ids and addresses used once, parents and gateways that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from campus.device import Device, Kind
from campus.folder.expected import similar
from campus.folder.tables.alias import KINDS, meant
from campus.folder.tables.table import Row
from campus.problem import Problem


class Entry(msgspec.Struct, frozen=True):
    """A row of the register, and its device where the row has no mistake."""

    row: Row
    device: Device | None


def check_links(entries: Sequence[Entry], problems: list[Problem]) -> set[int]:
    """Tells what does not fit together; returns the numbers of the rows whose id or address is taken already.

    Rows with mistakes of their own count as there, so that one mistake does not become many.
    """
    first: dict[str, Row] = {}
    repeated = _repeated(entries, first, problems)
    for one in entries:
        problems.extend(_unknown(one.row, first))
    parents = {row.text("id"): row.text("parent") for row in first.values()}
    for circle in _circles(parents):
        row = first[circle[0]]
        way = " → ".join([*circle, circle[0]])
        problems.append(row.problem("parent", f"meters that do not feed each other in a circle ({way})"))
    return repeated


def _repeated(entries: Sequence[Entry], first: dict[str, Row], problems: list[Problem]) -> set[int]:
    """Fills *first* with each id's first row."""
    repeated: set[int] = set()
    addresses: dict[str, Row] = {}
    for one in entries:
        row, device_id = one.row, one.row.text("id")
        if not device_id:
            continue
        if device_id in first:
            problems.append(row.problem("id", f"an id used once; row {first[device_id].number} has it, too"))
            repeated.add(row.number)
            continue
        first[device_id] = row
        # The service looks devices up by address alone, whatever the decoder, and DevEUIs come in both cases.
        address = row.text("address") or device_id
        holder = addresses.setdefault(address.lower(), row)
        if holder is not row:
            expected = f"an address of its own; {holder.text('id')} in row {holder.number} has it"
            problems.append(row.problem("address", expected, found=address))
            repeated.add(row.number)
    return repeated


def _unknown(row: Row, first: Mapping[str, Row]) -> Iterator[Problem]:
    parent, gateway = row.text("parent"), row.text("gateway")
    if parent and parent not in first:
        yield row.problem("parent", f"the id of a device{similar(parent, first)}")
    if gateway and gateway not in first:
        yield row.problem("gateway", f"the id of a device{similar(gateway, first)}")
    elif gateway and meant(KINDS, first[gateway].text("kind")) not in {Kind.GATEWAY, None}:
        yield row.problem("gateway", f"a device of kind {Kind.GATEWAY}")


def _circles(parents: Mapping[str, str]) -> Iterator[list[str]]:
    """Each circle of parents once, beginning with the row that comes first."""
    done: set[str] = set()
    for start in parents:
        path: list[str] = []
        here = start
        while here in parents and here not in done:
            done.add(here)
            path.append(here)
            here = parents[here]
        if here in path:
            circle = path[path.index(here) :]
            order = list(parents)
            turn = circle.index(min(circle, key=order.index))
            yield circle[turn:] + circle[:turn]
