"""A whole service that cannot reach people: health says so until it can, and what is open is told then."""

from __future__ import annotations

import json

from tests_support import wait_until

from alerts.own.service import UNREACHABLE
from api.ports import Condition
from campus.text import marked
from simulators.output.providers import Answer


def outbox(service):
    (part,) = [one for one in service.runtime.health(marked).parts if one.name == "outbox"]
    return part.condition


def test_health_is_down_until_people_are_reached(running, bot):
    """With the group's bot removed nobody there hears of the freezer; with it back they do, and all is well."""
    bot.failures += [Answer({"errcode": 93000, "errmsg": "invalid webhook url"})] * 2
    running.publish("zigbee2mqtt/Freezer", json.dumps({"temperature": -2.0}))
    wait_until(lambda: outbox(running) is Condition.DOWN)
    wait_until(lambda: any(one.rule == UNREACHABLE for one in running.runtime.book.open_alerts()))
    wait_until(lambda: len(bot.asked) == 3)
    wait_until(lambda: outbox(running) is Condition.OK)
    assert "冷冻柜" in bot.asked[-1].json()["text"]["content"]
