"""Tables as schools save them: encodings, workbooks, remarks, and rows counted as a spreadsheet counts."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
from openpyxl import Workbook

from campus.folder import check_folder, load_campus

TABLE = [
    ["编号", "名称", "类型", "楼栋", "地址", "解码器"],
    ["w1", "水表一", "水表", "教学楼", "33225500", "wmbusmeters"],
]
CSV = "\n".join(",".join(row) for row in TABLE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_chinese_encodings(write, encoding):
    """What Excel and WPS save as CSV on a Chinese machine is read."""
    device = load_campus(write(**{"devices.csv": CSV.encode(encoding)})).device("w1")
    assert (device.name, device.place.building) == ("水表一", "t1")


def test_another_encoding_is_told(write):
    """A file saved as UTF-16 is one problem that says what is wanted."""
    (mistake,) = check_folder(write(**{"devices.csv": CSV.encode("utf-16")}))
    assert (mistake.where(), mistake.expected) == ("devices.csv", "a file saved as UTF-8 or GBK")


def test_an_xlsx_register(write):
    """A workbook is read with its numbers as texts: a meter's number has no decimals."""
    folder = write()
    workbook = Workbook()
    for row in [*TABLE, ["w2", "水表二", "水表", "t1", 33225501, "wmbusmeters"]]:
        workbook.active.append(row)
    workbook.save(folder / "devices.xlsx")
    assert [one.address for one in load_campus(folder).devices.values()] == ["33225500", "33225501"]


def test_an_address_that_excel_rounded_is_told(write):
    """A number with more digits than a spreadsheet keeps is refused, as its last ones are made up."""
    folder = write()
    workbook = Workbook()
    for row in [TABLE[0], ["w1", "水表一", "水表", "t1", 2400000000000012, "chirpstack_v4"]]:
        workbook.active.append(row)
    workbook.save(folder / "devices.xlsx")
    (mistake,) = check_folder(folder)
    assert mistake.where() == "devices.xlsx:2:address"


def test_an_old_xls_register(write):
    """A workbook of Excel 97 is read."""
    folder = write()
    shutil.copy(Path(__file__).parent / "register.xls", folder / "devices.xls")
    campus = load_campus(folder)
    assert [(one.name, one.address, one.interval_s) for one in campus.devices.values()] == [
        ("水表一", "33225500", 60.0),
        ("水表二", "33225501", 60.0),
    ]


def test_workbook_dates_make_shifts(write):
    """Cells that are dates and times are read as such."""
    folder = write(**{"people.csv": "id,name\nsun,孙\n"})
    workbook = Workbook()
    for row in [
        ["值班人", "开始", "结束"],
        ["孙", dt.datetime.fromisoformat("2026-11-21T08:00"), dt.datetime.fromisoformat("2026-11-22T08:00")],
    ]:
        workbook.active.append(row)
    workbook.save(folder / "roster.xlsx")
    (shift,) = load_campus(folder).roster
    assert shift.to_ms - shift.from_ms == 86_400_000


@pytest.mark.parametrize(
    "content", [b"", b"abc", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)]
)
@pytest.mark.parametrize("ending", ["xlsx", "xls"])
def test_a_broken_workbook_is_told(write, content, ending):
    """A file that is no workbook is one problem."""
    (mistake,) = check_folder(write(**{f"devices.{ending}": content}))
    assert (mistake.where(), mistake.expected) == (f"devices.{ending}", "an Excel workbook")


def test_rows_are_counted_as_a_spreadsheet_counts(write):
    """Remarks, empty lines and cells with line breaks each take the rows they take in a spreadsheet."""
    text = '# 说明\nid,name,kind\n\n# 水表\na,"两\n行",水表\nb,B,?\n'
    (mistake,) = check_folder(write(**{"devices.csv": text}))
    assert mistake.where() == "devices.csv:6:kind"


@pytest.mark.parametrize(
    ("text", "where", "found", "expected"),
    [
        ("名称,类型\nX,水表\nY,水表\n", "devices.csv:1:id", "no such column", "编号"),
        ("id,name,kind,nmae\nx,X,水表,\n", "devices.csv:1:nmae", "unknown column", "did you mean name?"),
        ("id,编号,name,kind\nx,y,X,水表\n", "devices.csv:1:编号", "second column for id", "once"),
        ("id,name,kind\nx,X,水表,a=b\n", "devices.csv:2", "a=b after the last column", "quotes"),
        ('id,name,kind\nx,X,水表\ny,"Y,水表\n', "devices.csv:3", "unexpected end", "CSV"),
    ],
)
def test_mistakes_of_the_table_itself(write, text, where, found, expected):
    """Columns that are missing, unknown or there twice, cells too many, quotes that never end."""
    (mistake,) = check_folder(write(**{"devices.csv": text}))
    assert mistake.where() == where
    assert found in mistake.found
    assert expected in mistake.expected


def test_two_tables_for_one_are_told(write):
    """Which of two registers holds is not guessed."""
    (mistake,) = check_folder(write(**{"devices.csv": CSV, "devices.xlsx": b""}))
    assert (mistake.where(), mistake.found) == ("devices.xlsx", "devices.csv as well")
