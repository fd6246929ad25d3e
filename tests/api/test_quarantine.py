"""What was held back, over page, API and command line: bounded answers, thrown away, sent through again."""

from __future__ import annotations

import json

from tests_support import wait_until
from typer.testing import CliRunner

from service.cli.main_command import app
from store.quarantine import UNREGISTERED, QuarantineEntry


def flood(running, count=700):
    """Messages with topics of 60 KB and full payloads, read by nobody, and as many unregistered devices."""
    entries = [
        QuarantineEntry(5, f"{number}/" + "t" * 60_000, b"\xff" * 64_000, "not_utf8", "d" * 5_000)
        for number in range(count)
    ] + [
        QuarantineEntry(
            6, "u" * 60_000, b"{}", UNREGISTERED, "", f"dev{number}", "tasmota", ("x" * 500,) * 500
        )
        for number in range(count)
    ]
    running.runtime.journal.append((), committed_ms=running.runtime.now_ms(), quarantined=entries)


def test_a_flood_gives_short_answers_and_can_be_cleared(running, tmp_path):
    """Page and lists stay short whatever was held; buttons, API and command line empty it; a message is read again."""
    flood(running)
    page = running.http.get("/held", headers={"accept": "text/html"})
    assert len(page.content) < 600_000
    assert "dev699" in page.text
    assert "还有 600 个" in page.text
    assert "清空看不懂的消息" in page.text
    listed = running.http.get("/api/quarantine", params={"limit": 500})
    assert len(listed.json()) == 500
    assert len(listed.content) < 800_000
    assert len(running.http.get("/api/unregistered").content) < 8_000_000

    assert running.http.delete("/api/quarantine").status_code == 422
    newest = listed.json()[0]["id"]
    assert running.http.delete(f"/api/quarantine/{newest}").json() == {"purged": 1}
    assert running.http.delete(f"/api/quarantine/{newest}").status_code == 404
    assert running.http.delete("/api/quarantine", params={"address": "dev5"}).json() == {"purged": 1}
    cleared = running.http.post("/held/purge", data={"what": "unread"}, follow_redirects=False)
    assert (cleared.status_code, cleared.headers["location"]) == (303, "/held")
    assert running.http.get("/api/quarantine-usage").json()["entries"] == 698

    data = ["--data", str(tmp_path / "data")]
    run = CliRunner().invoke(app, ["quarantine", "purge", "--code", UNREGISTERED, *data])
    assert "698" in run.output
    assert CliRunner().invoke(app, ["quarantine", "purge", *data]).exit_code == 2

    later = QuarantineEntry(running.runtime.now_ms(), "zigbee2mqtt/Freezer", b'{"temperature": -18}', "x", "")
    running.runtime.journal.append((), committed_ms=running.runtime.now_ms(), quarantined=[later])
    shown = CliRunner().invoke(app, ["quarantine", "list", *data]).stdout
    (line,) = (one for one in shown.splitlines() if one.startswith("{"))  # the service may log beside it
    assert json.loads(line)["begins"] == '{"temperature": -18}'
    assert CliRunner().invoke(app, ["quarantine", "replay", "--all", *data]).exit_code == 0
    wait_until(lambda: running.http.get("/api/quarantine").json() == [])
    assert running.runtime.journal.counts().journaled == 1
