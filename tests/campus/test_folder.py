"""A campus folder's mistakes are told all at once, each with its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from campus.errors import FolderProblems
from campus.folder import check_folder, load_campus
from campus.folder.register import parse_fields
from ingest.decoding.registry import decoder_names
from rules.settings import check

EXAMPLE = Path(__file__).parents[2] / "examples" / "school"
SITE = "id: s\nname: 学校\nbuildings: [{id: t1, name: 教学楼}]\nchannels: {c: {kind: console}}\n"


def folder(tmp_path, **files):
    for name, text in {"site.yaml": SITE, **files}.items():
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(content)
    return tmp_path


def problems(path):
    return check_folder(path, decoders=decoder_names(), check_rules=check)


def test_the_example_school_has_no_mistakes():
    """What we ship is right, and complete enough to be a school."""
    assert problems(EXAMPLE) == []
    campus = load_campus(EXAMPLE)
    assert len(campus.devices) > 50
    assert {device.decoder for device in campus.devices.values()} >= set(decoder_names())
    assert campus.children("water-main")


@pytest.mark.parametrize(
    ("files", "where", "found", "expected"),
    [
        ({"site.yaml": SITE + "langauge: en\n"}, "site.yaml:langauge", "langauge", "language"),
        ({"site.yaml": "id: [\n"}, "site.yaml:2", "expected", "valid YAML"),
        ({"site.yaml": SITE + "timezone: Mars/Base\n"}, "site.yaml:timezone", "Mars/Base", "Asia/Shanghai"),
        (
            {"site.yaml": SITE + "routes: [{channels: [d]}]\n"},
            "site.yaml:routes[0].channels",
            "d",
            "channels",
        ),
        (
            {"site.yaml": SITE + "broker: {password: '${NO_SUCH_VAR_X}'}\n"},
            "site.yaml:broker.password",
            "NO_SUCH_VAR_X",
            "set",
        ),
        (
            {"site.yaml": SITE + "broker: {password: a, password_file: b}\n"},
            "site.yaml:broker.password_file",
            "password",
            "at most one",
        ),
        ({"devices.csv": "id,name,kind\nx,X,水龙头\n"}, "devices.csv:2:kind", "水龙头", "water_meter"),
        ({"devices.csv": "id,name,kind,building\nx,X,水表,t2\n"}, "devices.csv:2:building", "t2", "t1"),
        ({"devices.csv": "id,name,kind\nx,X,水表\nx,Y,水表\n"}, "devices.csv:3:id", "x", "row 2"),
        (
            {"devices.csv": "id,name,kind,parent\nx,X,水表,y\ny,Y,水表,x\n"},
            "devices.csv:2:parent",
            "y",
            "circle",
        ),
        (
            {"devices.csv": "id,name,kind,decoder\nx,X,水表,tasmoto\n"},
            "devices.csv:2:decoder",
            "tasmoto",
            "tasmota",
        ),
        (
            {"devices.csv": "id,name,kind,interval_s\nx,X,水表,soon\n"},
            "devices.csv:2:interval_s",
            "soon",
            "number",
        ),
        (
            {"devices.csv": "id,name,kind,fields\nx,X,水表,a=flowing\n"},
            "devices.csv:2:fields",
            "a=flowing",
            "quantity",
        ),
        ({"people.csv": "id,name,phone\na,A,12345\n"}, "people.csv:2:phone", "12345", "pattern"),
        (
            {"roster.csv": "person,from,to\nnobody,2026-01-01,2026-01-02\n"},
            "roster.csv:2:person",
            "nobody",
            "people.csv",
        ),
        (
            {"calendar.yaml": "terms: [{from: 2026-02-01, to: 2026-01-01}]\n"},
            "calendar.yaml:terms.0",
            "",
            "before",
        ),
        (
            {"rules.yaml": "defaults: {water.brust: {limit_m3h: 1}}\n"},
            "rules.yaml:defaults.water.brust",
            "brust",
            "water.burst",
        ),
        (
            {"rules.yaml": "defaults: {water.burst: {limit_m3h: -1}}\n"},
            "rules.yaml:defaults.water.burst.limit_m3h",
            "-1",
            "greater",
        ),
        ({"rules.yaml": "devices: {ghost: {}}\n"}, "rules.yaml:devices.ghost", "ghost", "devices"),
    ],
)
def test_each_mistake_is_named(tmp_path, files, where, found, expected):
    """File, row or key, what was found, what was expected."""
    mistakes = [one for one in problems(folder(tmp_path, **files)) if one.where().startswith(where)]
    assert mistakes, problems(tmp_path)
    assert any(found in one.found and expected in one.expected for one in mistakes), mistakes


def test_all_mistakes_come_together(tmp_path):
    """Three broken files give three mistakes in one go, and loading refuses with all of them."""
    files = {
        "devices.csv": "id,name,kind\nx,X,?\n",
        "people.csv": "id,name,phone\na,A,1\n",
        "rules.yaml": "wrong: 1\n",
    }
    path = folder(tmp_path, **files)
    assert {one.file for one in problems(path)} == set(files)
    with pytest.raises(FolderProblems) as caught:
        load_campus(path)
    assert len(caught.value.problems) >= 2


def test_gbk_and_excel_registers_are_read(tmp_path):
    """What Excel saves on a Chinese machine is read, as CSV in GBK and as a workbook."""
    table = [["编号", "名称", "类型", "楼栋"], ["w1", "水表一", "水表", "教学楼"]]
    path = folder(tmp_path, **{"devices.csv": "\n".join(",".join(row) for row in table).encode("gb18030")})
    assert load_campus(path).device("w1").place.building == "t1"
    (path / "devices.csv").unlink()
    workbook = Workbook()
    for row in table:
        workbook.active.append(row)
    workbook.save(path / "devices.xlsx")
    assert load_campus(path).device("w1").name == "水表一"


def test_secrets_come_from_files(tmp_path):
    """A secret in a file is read, and never shown."""
    text = SITE.replace("kind: console", "kind: wecom_bot, key_file: bot")
    campus = load_campus(folder(tmp_path, **{"site.yaml": text, "bot": "very-secret\n"}))
    assert campus.site.channels["c"].key.get_secret_value() == "very-secret"
    assert "very-secret" not in repr(campus.site)


@given(st.text(max_size=60))
def test_no_field_mapping_breaks_the_parser(text):
    """Whatever is written, the answer is a mapping or a ValueError."""
    try:
        assert isinstance(parse_fields(text), dict)
    except ValueError as error:
        assert str(error)


@given(st.binary(max_size=300))
def test_no_register_breaks_the_check(tmp_path_factory, content):
    """Whatever bytes the register holds, the check answers with problems, never an exception."""
    path = folder(tmp_path_factory.mktemp("f"), **{"devices.csv": content})
    assert isinstance(problems(path), list)
