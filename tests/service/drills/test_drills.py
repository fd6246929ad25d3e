"""Exercises on a live service: over the real broker and the real channels, refused, stopped, aborted, cleaned up."""

from __future__ import annotations

import pytest
from service_fixtures import Running
from tests_support import wait_until
from typer.testing import CliRunner

from alerts.drills.drill import DrillLog, DrillOrder, DrillState
from alerts.drills.record import record_of
from alerts.drills.score import Deed, Verdict
from api.ports import DrillRefused
from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, iso
from campus.person import Person
from service.cli.main_command import app

#: an hour and a quarter in seconds
FAST = 600


@pytest.fixture
def people():
    return [
        Person(id="wang", name="王秀兰", phone="13800000001", wecom_id="wang"),
        Person(id="li", name="李建国"),
    ]


@pytest.fixture
def live_campus(live_campus, people):
    return Campus(
        site=live_campus.site, devices=live_campus.devices.values(), people=people, rules=live_campus.rules
    )


def order(**changes):
    return DrillOrder(**{"scenario": "freezer_door_open", "people": ("wang",), "speed": FAST} | changes)


def begun(running, **changes):
    return running.runtime.drills.order(order(**changes), "陈主任")


def open_alerts(running):
    return running.http.get("/api/alerts", params={"state": ["firing", "acknowledged"]}).json()


def texts(bot):
    return [one.json()["text"]["content"] for one in bot.asked]


def test_an_exercise_walks_the_whole_road(running, bot):
    """Real messages, a rule, real channels to the chosen person only, all marked; taken on, dealt with, over, recorded."""
    drill = begun(running)
    assert drill.state is DrillState.RUNNING
    assert drill.plan.copies == {"drill-freezer": "freezer"}
    wait_until(lambda: any(one["severity"] == "critical" for one in open_alerts(running)))
    (alert,) = open_alerts(running)
    assert (alert["drill"], alert["subject"]) == (True, "drill-freezer")
    assert "演练 冷冻柜" in alert["title"]
    wait_until(lambda: len(texts(bot)) >= 2)
    assert all(one.startswith("【演练】") for one in texts(bot))
    assert all(one.json()["text"]["mentioned_list"] == ["wang"] for one in bot.asked)
    running.http.get(f"/alerts/{alert['id']}")
    running.http.post(f"/api/alerts/{alert['id']}/acknowledge")
    running.http.post(f"/api/alerts/{alert['id']}/note", json={"cause": "门没关严", "repair_note": "已关门"})
    log = DrillLog(running.runtime.database)
    wait_until(lambda: log.get(drill.id).over)
    record = record_of(running.runtime.database, log.get(drill.id), running.runtime.now_ms())
    assert log.get(drill.id).state is DrillState.DONE
    assert {one.deed: one.verdict for one in record.score.done} == dict.fromkeys(Deed, Verdict.MET)
    assert record.score.deed(Deed.TOLD).who == ("王秀兰",)
    assert record.score.passed == record.score.due
    assert open_alerts(running) == []
    wait_until(lambda: any("演练结束" in one for one in texts(bot)))


def test_nothing_of_it_counts(running):
    """While it runs its device is in no list, has no consumption, is no stranger; the real engine never hears of it."""
    begun(running)
    wait_until(lambda: running.http.get("/api/devices/drill-freezer").status_code == 200)
    wait_until(lambda: running.http.get("/api/devices/drill-freezer").json()["readings"])
    assert not any(one["id"].startswith("drill-") for one in running.http.get("/api/devices").json())
    assert running.http.get("/api/devices/drill-freezer/consumption").status_code == 404
    assert running.http.get("/api/unregistered").json() == []
    assert "drill-freezer" not in running.runtime.rules._engine._campus.devices
    assert b"cold.above_limit" in (state := running.runtime.rules._engine.snapshot())
    assert b"drill-freezer" not in state


REFUSED = {
    "an unknown scenario": (order(scenario="flood_of_the_century"), "没有名为"),
    "a normal oddity": (order(scenario="sports_day", speed=1), "正常情况"),
    "an unknown device": (order(device="freezer-99"), "没有设备"),
    "a place there is not": (order(scenario="overload", speed=1), "没有适合"),
    "a gateway": (order(scenario="gateway_down"), "真实的网关"),
    "nobody": (order(people=()), "没有选通知谁"),
    "a stranger": (order(people=("ghost",)), "ghost"),
    "a time of the day, compressed": (order(scenario="lights_left_on"), "实际速度"),
    "no speed at all": (order(speed=0), "0 倍"),
    "a start that is past": (order(start_ms=HOUR_MS), "已经过了"),
    "a rule there is not": (order(scenario="meter_swap"), "没有要发现"),
    "days of it": (order(scenario="dripping_tap", speed=1), "最长 24 小时"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused_with_the_reason(running, reason):
    """What cannot be exercised is refused in Chinese, and nothing has begun."""
    asked, words = REFUSED[reason]
    with pytest.raises(DrillRefused, match=words):
        running.runtime.drills.order(asked, "陈主任")
    assert running.runtime.drills.log.find() == []
    assert "drill-freezer" not in running.runtime.campus().devices


def test_no_second_one(running):
    """One at a time: neither beside the one that runs, nor at a time that another has."""
    begun(running)
    with pytest.raises(DrillRefused, match="同一时间只能有一场演练"):
        begun(running)
    later_ms = running.runtime.now_ms() + DAY_MS
    planned = begun(running, start_ms=later_ms)
    assert planned.state is DrillState.PLANNED
    with pytest.raises(DrillRefused, match=f"编号 {planned.id}"):
        begun(running, start_ms=later_ms + HOUR_MS // 4)
    assert running.runtime.drills.stop(planned.id, "陈主任").state is DrillState.STOPPED


def test_never_over_a_real_alarm(running):
    """With a real critical alert open it is refused."""
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3.0}')
    wait_until(lambda: open_alerts(running) != [])
    with pytest.raises(DrillRefused, match="真实的紧急告警"):
        begun(running)


def test_never_without_rules_or_routes(live_campus, tmp_path):
    """Rules that are switched off, and routes that lead to nobody: pointless, and refused."""
    off = {"defaults": {name: {"enabled": False} for name in ("cold.above_limit", "cold.door_open")}}
    mute = live_campus.site.model_copy(update={"routes": []})
    for number, (site, rules, words) in enumerate(
        (
            (live_campus.site, off, "没有启用"),
            (mute, live_campus.rules, "不会发给任何人"),
        )
    ):
        campus = Campus(
            site=site, devices=live_campus.devices.values(), people=live_campus.people.values(), rules=rules
        )
        service = Running(campus, tmp_path / f"data{number}")
        try:
            with pytest.raises(DrillRefused, match=words):
                begun(service)
        finally:
            service.stop()


def test_never_where_nobody_listens(running, monkeypatch):
    """Topics that are not subscribed to at any broker, as may be at another's: refused."""
    monkeypatch.setattr(running.runtime.reader, "topics", lambda _broker: ["zigbee2mqtt/Freezer"])
    with pytest.raises(DrillRefused, match="没有订阅"):
        begun(running)


def test_a_rehearsal_that_shows_nothing(live_campus, tmp_path):
    """Rules too slow to see it are found out before anybody is called together."""
    slow = {
        "defaults": {
            "cold.above_limit": {"for_s": 1e7, "critical_for_s": 1e7},
            "cold.door_open": {"enabled": False},
        }
    }
    campus = Campus(
        site=live_campus.site,
        devices=live_campus.devices.values(),
        people=live_campus.people.values(),
        rules=slow,
    )
    service = Running(campus, tmp_path / "data")
    try:
        with pytest.raises(DrillRefused, match="试算过"):
            begun(service)
    finally:
        service.stop()


def test_a_real_alarm_ends_it(running, bot):
    """A real critical alert: the exercise is aborted at once, its alerts are gone, the real one stays and is told."""
    drill = begun(running)
    wait_until(lambda: open_alerts(running) != [])
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3.0}')
    log = DrillLog(running.runtime.database)
    wait_until(lambda: log.get(drill.id).over)
    ended = log.get(drill.id)
    assert ended.state is DrillState.ABORTED
    assert "真实告警" in ended.reason
    wait_until(lambda: [one["drill"] for one in open_alerts(running)] == [False])
    wait_until(lambda: any("演练中止" in one for one in texts(bot)))
    assert any(not one.startswith("【演练】") for one in texts(bot))


def test_stopped_by_hand(running, bot):
    """The stop button: nothing more is sent, its alerts end, everybody is told that it is over."""
    drill = begun(running, announced=False)
    wait_until(lambda: open_alerts(running) != [])
    stopped = running.runtime.drills.stop(drill.id, "孙师傅")
    assert (stopped.state, stopped.ended_by) == (DrillState.STOPPED, "孙师傅")
    assert open_alerts(running) == []
    wait_until(lambda: any("演练结束" in one for one in texts(bot)))
    assert not any("演练开始" in one for one in texts(bot))
    assert running.runtime.drills.running() is None


def test_at_its_time(running):
    """A planned one begins by itself when its time has come."""
    drill = begun(running, start_ms=running.runtime.now_ms() + 1500)
    assert drill.state is DrillState.PLANNED
    wait_until(lambda: running.runtime.drills.running() is not None)


def test_cleaned_up_after_a_crash(running, live_campus, tmp_path):
    """What ran when the service died is aborted and told so; its alerts are over, and its late messages no stranger's."""
    drill = begun(running)
    wait_until(lambda: open_alerts(running) != [])
    runtime = running.runtime
    run, runtime.drills._run = (
        runtime.drills._run,
        None,
    )  # as if the process had gone: nobody ends the exercise
    run.stop()
    runtime.drills.worker.request_stop()
    running.stop()
    again = Running(live_campus, tmp_path / "data")
    try:
        found = DrillLog(again.runtime.database).get(drill.id)
        assert found.state is DrillState.ABORTED
        assert "中途停止" in found.reason
        assert open_alerts(again) == []
        again.publish("zigbee2mqtt/drill-Freezer", b'{"temperature": -3.0}')
        again.publish("zigbee2mqtt/Freezer", b'{"temperature": -19.0}')
        wait_until(lambda: again.http.get("/api/devices/freezer").json()["readings"])
        assert again.http.get("/api/unregistered").json() == []
        assert open_alerts(again) == []
    finally:
        again.stop()


def test_a_file_with_a_mistake(live_campus, tmp_path):
    """A school's own scenario with a mistake is refused with file, key, what was found and what was expected."""
    (tmp_path / "school" / "scenarios").mkdir(parents=True)
    (tmp_path / "school" / "scenarios" / "ours.yaml").write_text("rank: much\n", encoding="utf-8")
    service = Running(live_campus, tmp_path / "data", folder=tmp_path / "school")
    try:
        with pytest.raises(DrillRefused, match=r"ours.yaml.*rank.*much"):
            begun(service, scenario="ours")
    finally:
        service.stop()


def test_from_the_command_line(running, live_campus, tmp_path):
    """Ordered, refused, stopped and reported by another process on the same data folder."""
    data = str(tmp_path / "data")
    commands = CliRunner()
    refused = commands.invoke(app, ["drill", "run", "freezer_door_open", "--to", "ghost", "--data", data])
    assert (refused.exit_code, "ghost" in refused.output) == (1, True)
    at = iso(running.runtime.now_ms() + DAY_MS)
    planned = commands.invoke(
        app, ["drill", "run", "freezer_door_open", "--to", "wang", "--at", at, "--data", data]
    )
    assert (planned.exit_code, "planned" in planned.output) == (0, True), planned.output
    begun = commands.invoke(
        app, ["drill", "run", "freezer_door_open", "--to", "wang", "--fast", "--surprise", "--data", data]
    )
    assert begun.exit_code == 0, begun.output
    wait_until(lambda: running.runtime.drills.running() is not None)  # it is written down a moment before
    number = running.runtime.drills.running().id
    assert commands.invoke(app, ["drill", "stop", str(number), "--data", data]).exit_code == 0
    wait_until(lambda: running.runtime.drills.running() is None)
    shown = commands.invoke(app, ["drill", "report", str(number), "--data", data])
    assert "人工停止" in shown.output
    file = tmp_path / "record.xlsx"
    assert (
        commands.invoke(app, ["drill", "report", str(number), "--excel", str(file), "--data", data]).exit_code
        == 0
    )
    assert file.read_bytes()[:2] == b"PK"
    listed = commands.invoke(app, ["drill", "list", "--data", data]).output
    assert "freezer_door_open" in listed
    assert f"#{number}" in listed
