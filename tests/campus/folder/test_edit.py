"""A row of the register is changed and everything else stays, to the byte; what would be a mistake changes nothing."""

import csv
import io
import shutil
from pathlib import Path

import pytest

from campus.errors import FolderProblems, RegisterNotText
from campus.folder import load_campus
from campus.folder.editing.edit import put_device
from campus.folder.editing.revision import Change, revisions
from ingest.decoding.registry import decoder_names
from rules.engine.settings import check

EXAMPLE = Path(__file__).parents[3] / "examples" / "school"


@pytest.fixture
def school(tmp_path):
    return Path(shutil.copytree(EXAMPLE, tmp_path / "school"))


def put(folder, device_id, **columns):
    put_device(folder, device_id, columns, decoders=decoder_names(), check_rules=check)


def lines(folder):
    return (folder / "devices.csv").read_bytes().split(b"\n")


NEW = {"name": "新冷柜", "kind": "冷柜", "building": "食堂", "address": "New1", "decoder": "zigbee2mqtt"}


def test_a_new_row(school):
    """A device is added at the end; all other lines, remarks and the mark at the beginning stay as they were."""
    before = lines(school)
    put(school, "new-1", **NEW)
    after = lines(school)
    assert after[: len(before) - 1] == before[:-1]
    device = load_campus(school).device("new-1")
    assert (device.name, device.kind.value, device.place.building, device.address) == (
        "新冷柜", "cold_storage", "canteen", "New1",
    )  # fmt: skip


def test_a_changed_row(school):
    """Only the columns given change; an empty text empties one."""
    old = load_campus(school)
    target = next(one for one in old.devices.values() if one.asset_number and one.place.room)
    before = lines(school)
    put(school, target.id, room="新位置", asset_number="")
    changed = [index for index, (a, b) in enumerate(zip(before, lines(school), strict=True)) if a != b]
    assert len(changed) == 1
    new = load_campus(school)
    assert new.device(target.id) == target.model_copy(
        update={"place": target.place.model_copy(update={"room": "新位置"}), "asset_number": ""}
    )
    (one,) = [one for one in revisions(old.devices, new.devices) if one.change is Change.MOVED]
    assert (one.device, one.after["place"]["room"]) == (target.id, "新位置")


def test_a_new_column_speaks_the_headers_language(school):
    """A column the file lacks is added in Chinese to a Chinese header."""
    put(school, "water-main", calibration_date="2026-09-01")
    header = next(csv.reader(io.StringIO((school / "devices.csv").read_text(encoding="utf-8-sig"))))
    assert header[-1] == "校准日期"
    assert load_campus(school).device("water-main").calibration_date == "2026-09-01"


@pytest.mark.parametrize(
    ("device_id", "columns", "word"),
    [
        ("x", NEW | {"kind": "飞机"}, "飞机"),
        ("x", NEW | {"building": "没有的楼"}, "没有的楼"),
        ("x", NEW | {"decoder": "nothing"}, "nothing"),
        ("x y", NEW, "x y"),
        ("freezer-1 ", NEW, "without spaces"),
        ("\n", NEW, "without spaces"),
        ("..", NEW, "dots alone"),
        ("x" * 65, NEW, "1 to 64"),
        ("x", NEW | {"parent": "nobody"}, "nobody"),
        ("x", {"name": "只有名称"}, "kind"),
    ],
)
def test_a_mistake_changes_nothing(school, device_id, columns, word):
    """What would be a mistake is told with its row, and the file stays as it was, to the byte."""
    before = (school / "devices.csv").read_bytes()
    with pytest.raises(FolderProblems) as caught:
        put(school, device_id, **columns)
    assert any(word in str(one) for one in caught.value.problems)
    assert (school / "devices.csv").read_bytes() == before
    assert sorted(one.name for one in school.iterdir()) == sorted(one.name for one in EXAMPLE.iterdir())


def test_older_mistakes_do_not_hinder(school):
    """A mistake elsewhere that was there before is not this change's."""
    (school / "people.csv").write_text("id,name\n,没有编号\n", encoding="utf-8")
    put(school, "new-1", **NEW)
    assert b"new-1" in (school / "devices.csv").read_bytes()


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_the_encoding_stays(school, encoding):
    """A register saved by a spreadsheet in GBK stays one, with its line ends."""
    path = school / "devices.csv"
    text = path.read_text(encoding="utf-8-sig").replace("\n", "\r\n")
    path.write_bytes(text.encode(encoding))
    put(school, "new-1", **NEW)
    raw = path.read_bytes()
    assert raw.decode(encoding).count("\r\n") == raw.decode(encoding).count("\n")
    assert raw.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    assert load_campus(school).device("new-1").name == "新冷柜"


def test_a_first_register(school):
    """Where there is no register yet, one is begun."""
    (school / "devices.csv").unlink()
    (school / "rules.yaml").unlink(missing_ok=True)
    put(school, "new-1", **NEW)
    assert set(load_campus(school).devices) == {"new-1"}


def test_a_workbook_is_not_ours_to_edit(school):
    """A register kept in Excel is named, and left alone."""
    (school / "devices.csv").rename(school / "devices.xlsx")
    with pytest.raises(RegisterNotText, match=r"devices\.xlsx"):
        put(school, "new-1", **NEW)
