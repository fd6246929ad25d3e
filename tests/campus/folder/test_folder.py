"""A campus folder is loaded, or its mistakes are told all at once."""

import pytest
from folder_support import EXAMPLE, SITE, folder, problems

from campus.errors import FolderProblems
from campus.folder import load_campus
from ingest.decoding.registry import decoder_names


def test_the_example_school_has_no_mistakes():
    """What we ship is right, and complete enough to be a school."""
    assert problems(EXAMPLE) == []
    campus = load_campus(EXAMPLE)
    assert len(campus.devices) > 50
    # several formats side by side, as a school's devices come from several makers
    assert len({device.decoder for device in campus.devices.values()} & set(decoder_names())) >= 8
    assert campus.children("water-main")


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


def test_two_broken_things_in_one_file_are_two_problems(tmp_path):
    """A setting that is unknown does not hide a route that leads nowhere, nor the register's own mistakes."""
    text = SITE + "langauge: en\nroutes: [{channels: [d]}, {channels: [c], to: [nobody]}]\n"
    path = folder(tmp_path, **{"site.yaml": text, "devices.csv": "id,name,kind,building\nx,X,水表,t9\n"})
    assert [one.where() for one in problems(path)] == [
        "devices.csv:2:building",
        "site.yaml:langauge",
        "site.yaml:routes[0].channels",
        "site.yaml:routes[1].to",
    ]


def test_every_mistake_of_a_row_is_told_and_the_next_row_still_read(tmp_path):
    """A row with four mistakes gives four problems; the row after it, whose parent it is, gives none."""
    rows = "id,name,kind,interval_s,building,fields,parent\nx,X,?,soon,t9,a,\ny,Y,水表,60,t1,,x\n"
    path = folder(tmp_path, **{"devices.csv": rows})
    assert [one.where() for one in problems(path)] == [
        "devices.csv:2:building",
        "devices.csv:2:fields",
        "devices.csv:2:interval_s",
        "devices.csv:2:kind",
    ]


def test_a_person_whose_row_is_wrong_is_still_known_elsewhere(tmp_path):
    """One wrong telephone number is one problem, not one for every shift and device of that person."""
    files = {
        "people.csv": "id,name,phone\nli,李,1\n",
        "roster.csv": "person,from,to\n李,2026-01-01,2026-01-02\n",
        "devices.csv": "id,name,kind,keeper\nx,X,水表,李\n",
    }
    assert [one.where() for one in problems(folder(tmp_path, **files))] == ["people.csv:2:phone"]


def test_a_circle_of_meters_is_told_once(tmp_path):
    """Three meters that feed each other are one mistake, and a meter that hangs on the circle is none."""
    rows = "id,name,kind,parent\nz,Z,水表,a\na,A,水表,b\nb,B,水表,c\nc,C,水表,a\n"
    (mistake,) = problems(folder(tmp_path, **{"devices.csv": rows}))
    assert mistake.where() == "devices.csv:3:parent"
    assert "a → b → c → a" in mistake.expected


def test_a_folder_that_is_not_there_is_a_problem(tmp_path):
    """A wrong path is told as a missing site.yaml."""
    (mistake,) = problems(tmp_path / "nowhere")
    assert mistake.where() == "site.yaml"
    with pytest.raises(FolderProblems):
        load_campus(tmp_path / "nowhere")


def test_a_folder_in_place_of_a_file_is_a_problem(tmp_path):
    """What cannot be opened is told for each file."""
    path = folder(tmp_path)
    for name in ("devices.csv", "rules.yaml"):
        (path / name).mkdir()
    assert [one.where() for one in problems(path)] == ["devices.csv", "rules.yaml"]


def test_secrets_come_from_files(tmp_path):
    """A secret in a file is read, and never shown."""
    text = SITE.replace("kind: console", "kind: wecom_bot, key_file: bot")
    campus = load_campus(folder(tmp_path, **{"site.yaml": text, "bot": "very-secret\n"}))
    assert campus.site.channels["c"].key.get_secret_value() == "very-secret"
    assert "very-secret" not in repr(campus.site)


def test_secrets_for_everybody_are_remarked_on(tmp_path):
    """A file with a password that every user of the computer can read is told of, without showing it; loading goes on."""
    text = SITE + "broker: {username: school, password_file: mqtt}\n"
    path = folder(tmp_path, **{"site.yaml": text, "mqtt": "very-secret"})
    (path / "mqtt").chmod(0o644)
    (remark,) = problems(path)
    assert (remark.where(), remark.warning) == ("site.yaml:broker.password_file", True)
    assert "0644" in remark.found
    assert "very-secret" not in str(remark)
    assert load_campus(path).site.broker.password.get_secret_value() == "very-secret"
    (path / "mqtt").chmod(0o600)
    assert problems(path) == []


def test_warnings_do_not_hinder_loading(tmp_path):
    """A route to the person on duty without a roster is said, and the campus loads."""
    path = folder(tmp_path, **{"site.yaml": SITE + "routes: [{channels: [c], to: [duty]}]\n"})
    (warning,) = problems(path)
    assert (warning.where(), warning.warning) == ("site.yaml:routes[0].to", True)
    assert load_campus(path).site.id == "s"


def test_secrets_come_from_the_environment(tmp_path, monkeypatch):
    """A variable is put where it is named, even within a text."""
    monkeypatch.setenv("SY_TEST_TOKEN", "abc")
    text = SITE + "store: 'influxdb2://${SY_TEST_TOKEN}@h:8086/o/b'\n"
    campus = load_campus(folder(tmp_path, **{"site.yaml": text}))
    assert campus.site.store == "influxdb2://abc@h:8086/o/b"


@pytest.mark.parametrize(
    ("word", "kind", "interval", "seconds"),
    [
        ("水表", "water_meter", "60", 60),
        ("冰箱", "cold_storage", "5分钟", 300),
        ("BOILER", "boiler", "1h30m", 5400),
    ],
)
def test_a_register_in_the_schools_own_words(tmp_path, word, kind, interval, seconds):
    """Kinds and intervals are read in Chinese and English."""
    rows = f"编号,名称,类型,楼栋,上报间隔(秒),校准日期\nx,X,{word},教学楼,{interval},2026/3/1\n"
    device = load_campus(folder(tmp_path, **{"devices.csv": rows})).device("x")
    assert (device.kind, device.place.building, device.interval_s) == (kind, "t1", seconds)
    assert device.calibration_date == "2026-03-01"


def test_somebody_told_by_text_message_has_a_number(tmp_path):
    """Whoever a route tells over text messages and has no phone number is named, as a warning, once."""
    sms = "{kind: sms_tencent, secret_id: a, secret_key: b, sdk_app_id: '14', sign_name: 学校, template_id: '1'}"
    site = (
        "id: s\nname: 学校\nbuildings: [{id: t1, name: 教学楼}]\n"
        f"channels: {{c: {{kind: console}}, sms: {sms}}}\n"
        "routes: [{channels: [c], to: [li]}, {channels: [c], fallback: [sms], to: [sun, zhou, li]}, {channels: [sms], to: [sun]}]\n"
    )
    people = (
        "id,name,role,phone\nsun,孙师傅,,13800000005\nzhou,周师傅,,\nli,李老师,,13800000006\nwang,王老师,,\n"
    )
    (warning,) = problems(folder(tmp_path, **{"site.yaml": site, "people.csv": people}))
    assert (warning.where(), warning.found, warning.warning) == ("people.csv:3:phone", "nothing", True)
    assert "周师傅 over sms" in warning.expected
