"""The channels of a site, opened."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from alerts.channels.console import ConsoleChannel
from alerts.channels.contract import Channel
from alerts.channels.phone_page import PhonePageChannel
from alerts.channels.sms_aliyun import AliyunSms
from alerts.channels.sms_tencent import TencentSms
from alerts.channels.wecom_bot import WeComBot
from campus import site as settings


def open_channels(
    site: settings.Site,
    *,
    database: sa.Engine,
    now_ms: Callable[[], int],
    write: Callable[[str], None],
    told: Callable[[], None] = lambda: None,
) -> dict[str, Channel]:
    """Every channel of site.yaml by its name."""

    def opened(one: settings.Channel) -> Channel:
        match one:
            case settings.ConsoleChannel():
                return ConsoleChannel(write)
            case settings.PhonePageChannel():
                return PhonePageChannel(database, now_ms, told)
            case settings.WeComBotChannel():
                return WeComBot(one, now_ms)
            case settings.AliyunSmsChannel():
                return AliyunSms(one, now_ms)
            case settings.TencentSmsChannel():
                return TencentSms(one, now_ms)

    return {name: opened(one) for name, one in site.channels.items()}
