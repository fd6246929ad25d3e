"""Names that a spreadsheet program would compute, or our own tables take for a remark, survive the register's file."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.folder import check_folder, load_campus
from campus.folder.editing.edit import put_device
from campus.folder.tables.cell import cell_of, text_of
from ingest.decoding.registry import decoder_names
from rules.engine.settings import check

EXAMPLE = Path(__file__).parents[3] / "examples" / "school"
NASTY = ("=", "+", "-", "@", "#", "＝", "＋", "－", "＠", "\t", "\r")


@given(st.text(alphabet=st.sampled_from("=+-@#'＝1.a 冷"), max_size=6))
def test_a_cell_reads_back_unchanged(text):
    """Whatever the text, its cell says the text, and is computed by nobody unless it is a number."""
    cell = cell_of(text)
    assert text_of(cell) == text
    assert not cell.startswith(NASTY) or float(cell) is not None


@pytest.fixture
def school(tmp_path):
    return Path(shutil.copytree(EXAMPLE, tmp_path / "school"))


def put(folder, device_id, **columns):
    put_device(folder, device_id, columns, decoders=decoder_names(), check_rules=check)


@pytest.mark.parametrize(
    "name",
    ['=HYPERLINK("http://evil.example","冷柜")', "+1 冷柜", "-冷柜", "@冷柜", "#1 冷柜", "'=x", "'冷柜'"],
)
@pytest.mark.parametrize("name_first", [False, True])
def test_a_devices_name_survives_the_register(school, name, name_first):
    """It stands in the file as text, whichever column is the first, and the device is called what it was called."""
    path = school / "devices.csv"
    if name_first:
        path.write_text("名称,编号,类型\n水表一,m-1,水表\n", encoding="utf-8-sig")
        (school / "rules.yaml").unlink()
        (school / "meter_swaps.csv").unlink(missing_ok=True)
    put(school, "new-1", name=name, kind="冷柜")
    assert load_campus(school).device("new-1").name == name
    cells = [cell for line in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))) for cell in line]
    assert not any(cell.startswith(NASTY) and "冷柜" in cell for cell in cells)
    put(school, "new-1", room="冷库间")
    assert load_campus(school).device("new-1").name == name


def test_a_line_that_may_be_a_device_is_remarked_on(school):
    """Where the name comes first, a whole line that begins with # is read as a remark, and check says so; others are none of its business."""
    text = "名称,编号,类型\n# 一楼\n#1 冷柜,c-1,冷柜\n水表一,m-1,水表\n"
    (school / "devices.csv").write_text(text, encoding="utf-8-sig")
    (school / "rules.yaml").unlink()
    notes = [one for one in check_folder(school, decoders=decoder_names(), check_rules=check) if one.row]
    assert [(one.where(), one.found, one.warning) for one in notes if one.file == "devices.csv"] == [
        ("devices.csv:3:name", "#1 冷柜", True)
    ]
    assert "apostrophe" in notes[0].expected
