"""What ``shouyuan replay`` stands on: the past from files or the campus's store, the campus, and the rule files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from campus.campus import Campus
from campus.clock import iso
from campus.device import Device, Kind, Place
from campus.errors import FolderProblems
from campus.folder.document import read_yaml
from campus.problem import Problem
from campus.quantity import Quantity
from campus.site import Site
from rules.engine.replay import devices_read
from rules.engine.settings import check
from service.cli.progress_bar import LateBar
from service.cli.store import opened
from service.errors import NoReadings
from store.timeseries.history import History, stored_history
from store.timeseries.history_file import read_history

#: the name of the rules in force, where no other file is named
IN_FORCE = "rules.yaml"


class Span(msgspec.Struct, frozen=True):
    """From *start_ms* to before *end_ms*; None is no bound."""

    start_ms: int | None = None
    end_ms: int | None = None

    def __str__(self) -> str:
        start = "the beginning" if self.start_ms is None else iso(self.start_ms)
        return f"from {start} to {'the end' if self.end_ms is None else iso(self.end_ms)}"


def from_files(files: Sequence[Path], span: Span, problems: list[Problem], bar: LateBar) -> History:
    """The readings of all *files* within *span*; raises :class:`store.errors.BadHistory` and :class:`NoReadings`."""
    history = History()
    for file in files:
        bar.begin(f"reading {file.name}")
        read_history(file, problems, history, advance=bar.advance)
    if span != Span():
        history.keep(span.start_ms, span.end_ms)
    if not len(history):
        raise NoReadings(", ".join(file.name for file in files), str(span))
    return history


def from_store(
    campus: Campus, data: Path | None, span: Span, devices: Sequence[str], bar: LateBar
) -> History:
    """What the campus's store holds of *devices* (all, where none is named) and of those their rules look at.

    Raises :class:`store.errors.StoreError`, :class:`service.errors.DataInUse` and :class:`NoReadings`.
    """
    wanted = devices_read(devices or campus.devices, campus)
    bar.begin("reading the store")
    with opened(campus.site.store, data) as store:
        history = stored_history(
            store, span.start_ms or 0, span.end_ms or 0, devices=wanted, advance=bar.advance
        )
    if not len(history):
        raise NoReadings("the store", f"{span} of {', '.join(devices) or 'any device of the register'}")
    return history


def rule_files(files: Sequence[Path], campus: Campus) -> dict[str, Mapping[str, object]]:
    """The layers of each file by its name; raises :class:`FolderProblems` with the mistakes of all of them."""
    layers_of: dict[str, Mapping[str, object]] = {}
    problems: list[Problem] = []
    for file in files:
        mistakes: list[Problem] = []
        layers = read_yaml(file.parent, file.name, mistakes, required=True)
        mistakes += check(layers, campus)
        problems += [msgspec.structs.replace(mistake, file=str(file)) for mistake in mistakes]
        layers_of[str(file)] = layers
    if problems:
        raise FolderProblems("rules", problems)
    return layers_of


#: what a series without a register is taken for
_KINDS = {
    Quantity.WATER_VOLUME: Kind.WATER_METER,
    Quantity.WATER_FLOW: Kind.WATER_METER,
    Quantity.ENERGY: Kind.ELECTRICITY_METER,
    Quantity.ACTIVE_POWER: Kind.ELECTRICITY_METER,
}


def guessed_campus(history: History) -> Campus:
    """Without a campus folder: meters by their quantity, everything else a plain sensor."""
    site = Site(id="replay", name="replay")
    kinds: dict[str, Kind] = {}
    for series in history.series:
        kind = _KINDS.get(series.quantity)
        if kind is not None or series.device not in kinds:
            kinds[series.device] = kind or Kind.CLIMATE
    place = Place(site=site.id)
    devices = [
        Device.model_construct(id=name, name=name, kind=kind, place=place) for name, kind in kinds.items()
    ]
    return Campus(site=site, devices=devices)
