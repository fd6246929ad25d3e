"""The recordings as the rules see them: a campus, and readings sorted by time."""

from __future__ import annotations

import csv
import datetime as dt
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from campus.calendar.calendar import SchoolCalendar
from campus.calendar.timetable import CalendarSettings
from campus.campus import Campus
from campus.clock import to_ms
from campus.device import Device, Kind, Place, Role
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.site import Site

ROOT = Path(__file__).resolve().parents[3] / "shared" / "datasets"
#: values that mean "no probe", as ingest marks them (DOMAIN.md 2.4)
_DOUBTFUL = {85.0, -127.0}


def local_ms(text: str, zone: str) -> int:
    """Milliseconds of a naive local time."""
    return to_ms(dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone)))


def reading(series: Series, value: float, time_ms: int) -> Reading:
    """A reading as it would have come through ingest."""
    doubtful = series.quantity is Quantity.TEMPERATURE and value in _DOUBTFUL
    return Reading(series, value, time_ms, time_ms, Quality.SUSPECT if doubtful else Quality.GOOD)


def device(name: str, kind: Kind, **more: object) -> Device:
    """A device of the one building ``b``."""
    place = more.pop("place", None) or Place(site="s", building="b")
    return Device.model_validate({"id": name, "name": name, "kind": kind, "place": place, **more})


def site(zone: str, **more: object) -> Site:
    """A site with the one building ``b``."""
    building = {"id": "b", "name": "b", "use": more.pop("use", "other")}
    return Site.model_validate({"id": "s", "name": "s", "timezone": zone, "buildings": [building], **more})


def coldstore() -> tuple[Campus, list[Reading]]:
    """A frozen-food warehouse: eight cabinets, and two docks as plain rooms."""
    kinds = {"deepfreezer": "freezer", "freezer": "freezer", "cooling": "fridge"}
    with (ROOT / "coldstore_saveris" / "values_15min.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "timestamp_local"]
    devices = [
        device(name, Kind.COLD_STORAGE, profile=kinds[name[:-2]], interval_s=900)
        if name[:-2] in kinds
        else device(name, Kind.CLIMATE, interval_s=900)
        for name in names
    ]
    series = {name: Series(name, Quantity.TEMPERATURE) for name in names}
    found = [
        reading(series[name], float(row[name]), local_ms(row["timestamp_local"], "UTC"))
        for row in rows
        for name in names
        if row[name]
    ]
    return Campus(site=site("UTC"), devices=devices), found


def freezer() -> tuple[Campus, list[Reading]]:
    """One freezer by the minute for a fortnight."""
    series = Series("freezer", Quantity.TEMPERATURE)
    path = ROOT / "freezer_celsi" / "CELSI-raw-data-reports.csv"
    with path.open(encoding="utf-8-sig") as file:
        found = [
            reading(series, float(row["Temperature"]), int(row["LinuxTime"]) * 1000)
            for row in csv.DictReader(file)
            if row["Temperature"]
        ]
    devices = [device("freezer", Kind.COLD_STORAGE, profile="freezer", interval_s=60)]
    return Campus(site=site("UTC"), devices=devices), sorted(found, key=lambda one: one.time_ms)


def lake() -> tuple[Campus, list[Reading]]:
    """A pipe and the air about it for four winters, naive US Central time."""
    columns = {
        "inside_c": device("inside", Kind.CLIMATE, role=Role.ROOM),
        "outside_c": device("outside", Kind.CLIMATE, role=Role.OUTDOOR),
        "bath_c": device("bath", Kind.CLIMATE, role=Role.ROOM),
        "pipe_c": device("pipe", Kind.PIPE_PROBE, role=Role.PIPE_WALL),
        "crawlspace_c": device("crawlspace", Kind.PIPE_PROBE, role=Role.PIPE_SPACE),
    }
    found: list[Reading] = []
    with (ROOT / "lake_pipe_temps" / "historical_2015_2019.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            time_ms = local_ms(row["timestamp_local"], "America/Chicago")
            found += [
                reading(Series(one.id, Quantity.TEMPERATURE), float(row[column]), time_ms)
                for column, one in columns.items()
                if row[column]
            ]
    campus = Campus(site=site("America/Chicago"), devices=columns.values())
    return campus, sorted(found, key=lambda one: one.time_ms)


def water() -> tuple[Campus, list[Reading]]:
    """Forty-six household meters that count litres, about hourly."""
    table = pl.read_parquet(ROOT / "daiad_water" / "hourly_meters.parquet")
    meter, time, value = table.columns[:3]
    table = table.drop_nulls().sort(time)
    names = sorted(table[meter].unique().to_list())
    devices = [device(name, Kind.WATER_METER, interval_s=3600, pulse_weight=0.001) for name in names]
    series = {name: Series(name, Quantity.WATER_VOLUME) for name in names}
    found = [
        reading(series[name], litres / 1000, _time_ms(at, "Europe/Madrid"))
        for name, at, litres in table.select(meter, time, value).iter_rows()
    ]
    return Campus(site=site("Europe/Madrid", use="other"), devices=devices), found


def _time_ms(at: object, zone: str) -> int:
    if isinstance(at, str):
        at = dt.datetime.fromisoformat(at)
    assert isinstance(at, dt.datetime)
    return to_ms(at if at.tzinfo else at.replace(tzinfo=zoneinfo.ZoneInfo(zone)))


def estates(every: int = 1) -> tuple[Campus, list[Reading]]:
    """Electricity of university buildings, kWh an hour; zero means missing. Bank holidays and 24 Dec – 1 Jan are closed.

    *every* takes one building in so many, for a quick look.
    """
    folder = ROOT / "cambridge_estates"
    table = pl.read_parquet(folder / "electricity_hourly_kwh_2014_2018.parquet")
    time = "timestamp_utc"
    names = [name for name in table.columns if name != time][::every]
    with (folder / "england_bank_holidays_2014_2023.csv").open(encoding="utf-8") as file:
        days = [row["date"] for row in csv.DictReader(file)]
    spans = [{"from": day, "to": day, "day": "holiday"} for day in days]
    spans += [
        {"from": f"{year}-12-24", "to": f"{year + 1}-01-01", "day": "holiday"} for year in range(2013, 2023)
    ]
    weekdays = [
        {"from": str(one), "to": str(one), "day": "term_weekend" if one.weekday() >= 5 else "school_day"}
        for one in (dt.date(2013, 12, 30) + dt.timedelta(days=n) for n in range(366 * 6))
    ]
    settings = CalendarSettings.model_validate(
        {
            "terms": [{"from": "2013-01-01", "to": "2023-12-31"}],
            "overrides": [*weekdays, *spans],
            "hours": {"b": {"school_day": ["07:00-19:00"], "term_weekend": [], "holiday": []}},
        }
    )
    hours = SchoolCalendar(settings, {"b": "teaching"}, zoneinfo.ZoneInfo("Europe/London"))
    devices = [device(name, Kind.ELECTRICITY_METER, interval_s=3600) for name in names]
    campus = Campus(site=site("Europe/London", use="teaching"), devices=devices, hours=hours)
    return campus, list(_hours(table, time, names))


def _hours(table: pl.DataFrame, time: str, names: list[str]) -> Iterator[Reading]:
    series = {name: Series(name, Quantity.ACTIVE_POWER) for name in names}
    for row in table.sort(time).iter_rows(named=True):
        time_ms = _time_ms(row[time], "UTC")
        for name in names:
            value = row[name]
            if value is not None and value == value and value > 0:  # noqa: PLR0124 - NaN is missing, too
                yield reading(series[name], float(value), time_ms)
