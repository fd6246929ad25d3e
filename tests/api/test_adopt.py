"""Taking a device up on the page, while other pages are served."""

from __future__ import annotations

from tests_support import wait_until

ADDRESS = "Nobody"


def test_a_device_is_taken_up_outside_the_event_loop(school):
    """Reading the folder again takes seconds on a small computer: it is a thread's work, so that no page waits for it."""
    school.publish(f"zigbee2mqtt/{ADDRESS}", b'{"temperature": -18}')
    wait_until(lambda: school.http.get(f"/api/unregistered/{ADDRESS}").status_code == 200, 30)
    columns = {
        "name": "新冷柜",
        "kind": "冷柜",
        "building": "食堂",
        "address": ADDRESS,
        "decoder": "zigbee2mqtt",
    }
    answer = school.http.post("/held/adopt", data={"id": "new-1", **columns})
    assert (answer.status_code, answer.headers["location"]) == (303, "/devices/new-1")
    again = school.http.post("/held/adopt", data={"id": "new-1", **columns})
    assert again.status_code == 422
    assert "new-1" in again.text
