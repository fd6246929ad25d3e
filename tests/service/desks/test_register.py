"""Taking up a device, editing the register by file and API: applied without a restart, kept, never half."""

from __future__ import annotations

import pytest
import yaml
from service_fixtures import Running, example_school
from tests_support import PATIENCE_S, wait_until
from typer.testing import CliRunner

from campus.folder import load_campus
from service.cli.main_command import app
from store.journal.counts import Counts

NEW = "zigbee2mqtt/新冷冻柜"


@pytest.fixture
def folder(tmp_path, bot):
    """The example school on a free port, with a group bot."""
    return example_school(tmp_path, bot={"kind": "wecom_bot", "key": "KEY", "base_url": bot.url})


@pytest.fixture
def service(folder, tmp_path):
    running = Running(load_campus(folder), tmp_path / "data", folder=folder)
    yield running
    running.stop()


def hold(service, *values):
    """Messages of a device nobody registered."""
    for value in values:
        service.publish(NEW, f'{{"temperature": {value}, "battery": 90}}')
    wait_until(lambda: service.runtime.journal.counts().quarantined == len(values))


def stored(service, device):
    return sorted(
        (reading.series.quantity.value, reading.value)
        for batch in service.runtime.journal.read(0, max_batches=10_000)
        for reading in batch.readings
        if reading.series.device == device
    )


COLUMNS = {
    "name": "新冷冻柜",
    "kind": "冷柜",
    "building": "canteen",
    "profile": "freezer",
    "decoder": "zigbee2mqtt",
}


def test_a_device_is_guessed_and_taken_up(service, folder):
    """A stranger's messages tell what it is; once registered by API, they are readings, and it is on the page."""
    hold(service, -18.5, -18.6)
    guess = service.http.get("/api/unregistered/新冷冻柜").json()
    assert guess["columns"]["kind"] == "cold_storage"
    assert guess["columns"]["profile"] == "freezer"
    assert guess["columns"]["decoder"] == "zigbee2mqtt"
    assert '"temperature": -18.6' in guess["last_payload"]
    answer = service.http.put("/api/register/freezer-9", json={"columns": {**COLUMNS, "address": "新冷冻柜"}})
    assert (answer.status_code, answer.json()["name"]) == (200, "新冷冻柜")
    wait_until(lambda: service.runtime.journal.counts() == Counts(journaled=2))
    temperatures = [value for quantity, value in stored(service, "freezer-9") if quantity == "temperature"]
    assert temperatures == [-18.6, -18.5]
    wait_until(lambda: service.http.get("/api/unregistered").json() == [])
    (first,) = service.http.get("/api/devices/freezer-9/revisions").json()
    assert (first["change"], first["after"]["name"]) == ("added", "新冷冻柜")
    assert load_campus(folder).device("freezer-9").profile == "freezer"


def test_the_page_takes_a_device_up(service):
    """The form is filled with the guess; a mistake is shown with what was typed; the right one leads to the device."""
    hold(service, -18.5)
    form = service.http.get("/held/adopt", params={"address": "新冷冻柜"})
    assert 'value="新冷冻柜"' in form.text
    sent = {**COLUMNS, "address": "新冷冻柜", "id": "freezer-9", "kind": "cold_storage"}
    wrong = service.http.post("/held/adopt", data=sent | {"id": "gw-lora"})
    assert (wrong.status_code, "gw-lora" in wrong.text) == (422, True)
    wrong = service.http.post("/held/adopt", data=sent | {"pulse_weight": "viel"})
    assert (wrong.status_code, "viel" in wrong.text) == (422, True)
    right = service.http.post("/held/adopt", data=sent, follow_redirects=False)
    assert (right.status_code, right.headers["location"]) == (303, "/devices/freezer-9")
    wait_until(lambda: service.runtime.journal.counts() == Counts(journaled=1))
    assert "登记变更" in service.http.get("/devices/freezer-9").text


def test_the_file_is_read_again(service, folder):
    """A saved register applies by itself; a broken one changes nothing, is told, and its mending is told, too."""
    path = folder / "devices.csv"
    text = path.read_text(encoding="utf-8")
    row = ["freezer-9", "新冷冻柜", "冷柜", "canteen", "", "", "", "freezer", "新冷冻柜", "zigbee2mqtt"]
    path.write_text(text.rstrip("\n") + "\n" + ",".join(row) + "\n", encoding="utf-8")
    wait_until(lambda: "freezer-9" in service.runtime.campus().devices)
    path.write_text(text + "broken,row,飞机\n", encoding="utf-8")

    def told():
        return {one.rule: one for one in service.runtime.book.open_alerts()}

    wait_until(lambda: "service.folder_mistakes" in told())
    assert "飞机" in str(told()["service.folder_mistakes"].evidence)
    assert "freezer-9" in service.runtime.campus().devices
    service.publish(NEW, '{"temperature": -18}')
    wait_until(lambda: stored(service, "freezer-9"))
    path.write_text(text, encoding="utf-8")
    wait_until(lambda: "freezer-9" not in service.runtime.campus().devices)
    assert service.runtime.register.problems == ()
    changes = [one["change"] for one in service.http.get("/api/devices/freezer-9/revisions").json()]
    assert changes == ["removed", "added"]


def test_channels_and_routes_apply_without_a_restart(service, folder, bot):
    """A route added to site.yaml is used for the next alert; what needs a restart is said."""
    path = folder / "site.yaml"
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    body["channels"]["bot2"] = {"kind": "wecom_bot", "key": "KEY", "base_url": bot.url}
    body["routes"] = [{"severity": "notice", "channels": ["bot2"]}]
    body["store"] = "influxdb2://t@127.0.0.1:9/o/b"
    path.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    wait_until(lambda: "bot2" in service.runtime.campus().site.channels)
    assert service.runtime.register.restart_needed == ("store",)
    assert bot.wait_for(1, PATIENCE_S)


def test_bad_requests_are_told(service):
    """Unknown columns, mistakes and unknown devices are answered in words, and change nothing."""
    refused = service.http.put("/api/register/x", json={"columns": {"colour": "blue"}})
    assert (refused.status_code, "colour" in refused.json()["error"]) == (422, True)
    refused = service.http.put("/api/register/x", json={"columns": {"name": "x", "kind": "飞机"}})
    assert (refused.status_code, refused.json()["problems"][0]["found"]) == (422, "飞机")
    assert service.http.get("/api/unregistered/nobody").status_code == 404
    assert service.http.get("/held/adopt", params={"address": "nobody"}).status_code == 404
    assert service.http.post("/api/register/reload").json() == {"applied": True, "problems": []}


def test_what_changed_while_we_were_away(folder, tmp_path):
    """A register edited between two runs is compared with the one of the run before."""
    first = Running(load_campus(folder), tmp_path / "data", folder=folder)
    first.stop()
    path = folder / "devices.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("学校总水表", "总表"), encoding="utf-8")
    second = Running(load_campus(folder), tmp_path / "data", folder=folder)
    (change,) = second.http.get("/api/devices/water-main/revisions").json()
    second.stop()
    assert (change["change"], change["before"], change["after"]) == (
        "edited", {"name": "学校总水表"}, {"name": "总表"},
    )  # fmt: skip


def test_the_command_line(service, folder, tmp_path):
    """``devices unregistered`` and ``adopt`` work beside a running service, which takes the device up by itself."""
    hold(service, -18.5)
    data = ["--campus", str(folder), "--data", str(tmp_path / "data")]
    shown = CliRunner().invoke(app, ["devices", "unregistered", *data])
    assert '"address": "新冷冻柜"' in shown.output
    done = CliRunner().invoke(
        app, ["devices", "adopt", "新冷冻柜", *data, "--id", "f9", "--set", "building=canteen"]
    )
    assert done.exit_code == 0, done.output
    wait_until(lambda: stored(service, "f9"))
    unknown = CliRunner().invoke(app, ["devices", "adopt", "nobody", *data])
    assert unknown.exit_code == 1
    wrong = CliRunner().invoke(app, ["devices", "adopt", "新冷冻柜", *data, "--set", "kind=飞机"])
    assert wrong.exit_code == 1
    listed = CliRunner().invoke(app, ["devices", "list", "--campus", str(folder)])
    assert "f9\t新冷冻柜" in listed.output
