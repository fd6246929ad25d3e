"""Every channel against a stand-in of its provider, errors included."""

from __future__ import annotations

import json

import pytest

from alerts.channels.console import ConsoleChannel
from alerts.channels.contract import Outcome
from alerts.channels.opening import open_channels
from alerts.channels.phone_page import PhonePageChannel
from alerts.channels.sms_aliyun import AliyunSms
from alerts.channels.sms_tencent import TencentSms
from alerts.channels.wecom_bot import WeComBot, shortened
from alerts.message import MessageKind, OutgoingMessage
from alerts.routing import GROUP, Recipient
from campus.site import AliyunSmsChannel, Site, TencentSmsChannel, WeComBotChannel
from rules.level import Level
from simulators.output import providers
from simulators.output.providers import Answer

MESSAGE = OutgoingMessage(
    "17-1",
    MessageKind.ALERT,
    Level.CRITICAL,
    "【紧急】食堂「冷冻柜2」温度过高",
    ("现在 -6.0 °C",),
    "先看门是否关严",
    "食堂 1层 冷库间",
    "冷冻柜2",
)
PERSON = Recipient("sun", "孙师傅", "13800000005", "sunshifu")


@pytest.fixture
def wecom(clock):
    provider = providers.wecom_bot("KEY")
    channel = WeComBot(
        WeComBotChannel(kind="wecom_bot", key="KEY", base_url=provider.url), clock, timeout_s=0.5
    )
    yield provider, channel
    channel.close()
    provider.close()


@pytest.fixture
def aliyun(clock):
    provider = providers.aliyun_sms("ID")
    settings = AliyunSmsChannel(
        kind="sms_aliyun",
        access_key_id="ID",
        access_key_secret="S",
        sign_name="学校",
        template_code="SMS_1",
        base_url=provider.url,
    )
    channel = AliyunSms(settings, clock, timeout_s=0.5)
    yield provider, channel
    channel.close()
    provider.close()


@pytest.fixture
def tencent(clock):
    provider = providers.tencent_sms("ID")
    settings = TencentSmsChannel(
        kind="sms_tencent",
        secret_id="ID",
        secret_key="S",
        sdk_app_id="14",
        sign_name="学校",
        template_id="1",
        base_url=provider.url,
    )
    channel = TencentSms(settings, clock, timeout_s=0.5)
    yield provider, channel
    channel.close()
    provider.close()


@pytest.fixture(params=["wecom", "aliyun", "tencent"])
def any_provider(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["wecom", "aliyun", "tencent", "console", "phone"])
def any_channel(request, database, clock):
    if request.param == "console":
        return ConsoleChannel(lambda _text: None)
    if request.param == "phone":
        return PhonePageChannel(database, clock)
    return request.getfixturevalue(request.param)[1]


def test_every_channel_sends(any_channel):
    """A good message to a person with everything known is sent, and closing is harmless."""
    assert any_channel.send(MESSAGE, PERSON).outcome is Outcome.SENT


def test_every_channel_takes_any_text(any_channel):
    """Very long texts, line breaks, emoji and refused signs are cut or cleaned, never a failure."""
    odd = OutgoingMessage(
        "99-12345678",
        MessageKind.ALERT,
        Level.WARNING,
        "漏" * 3000 + "【①】\n🚰",
        ("x" * 5000,),
        "",
        "楼" * 60,
        "表\n{}" * 40,
    )
    assert any_channel.send(odd, PERSON).outcome is Outcome.SENT


@pytest.mark.parametrize(
    "failure",
    [
        None,
        Answer(b"<html>502</html>", 502),
        Answer(b"not json"),
        Answer([1]),
        Answer({}),
        Answer({"Response": {}}),
        Answer(b""),
    ],
)
def test_a_broken_provider_means_later(any_provider, failure):
    """A closed connection, 5xx, no JSON or JSON of another shape: try again later, with the reason."""
    provider, channel = any_provider
    provider.failures.append(failure)
    delivery = channel.send(MESSAGE, PERSON)
    assert delivery.outcome is Outcome.RETRY
    assert delivery.code
    assert channel.send(MESSAGE, PERSON).outcome is Outcome.SENT


def test_a_provider_that_is_not_there_means_later(any_provider):
    """Connection refused is no failure for good."""
    provider, channel = any_provider
    provider.close()
    assert channel.send(MESSAGE, PERSON).outcome is Outcome.RETRY


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (45009, Outcome.RETRY),
        (-1, Outcome.RETRY),
        (93000, Outcome.FAILED),
        (93004, Outcome.FAILED),
        (40058, Outcome.FAILED),
        (77777, Outcome.FAILED),
    ],
)
def test_wecom_is_judged_by_errcode(wecom, code, outcome):
    """HTTP 200 says nothing: errcode does, and a frequency limit waits a minute."""
    provider, channel = wecom
    provider.failures.append(Answer({"errcode": code, "errmsg": "x"}))
    delivery = channel.send(MESSAGE, Recipient(GROUP))
    assert (delivery.outcome, delivery.code) == (outcome, str(code))
    assert (delivery.after_ms == 60_000) is (code == 45009)


def test_wecom_keeps_to_twenty_a_minute(wecom, clock):
    """The twenty-first message waits for its place instead of being refused there."""
    provider, channel = wecom
    for _ in range(20):
        assert channel.send(MESSAGE, Recipient(GROUP)).outcome is Outcome.SENT
        clock.forward(1)
    delivery = channel.send(MESSAGE, Recipient(GROUP))
    assert (delivery.outcome, delivery.after_ms) == (Outcome.RETRY, 40_000)
    assert len(provider.asked) == 20
    clock.forward(40)
    assert channel.send(MESSAGE, Recipient(GROUP)).outcome is Outcome.SENT


def test_wecom_mentions_people(wecom):
    """A person is mentioned by their WeCom id, a group is not."""
    provider, channel = wecom
    channel.send(MESSAGE, PERSON)
    channel.send(MESSAGE, Recipient(GROUP))
    first, second = (asked.json()["text"] for asked in provider.asked)
    assert first["mentioned_list"] == ["sunshifu"]
    assert "mentioned_list" not in second


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [("abc", 3, "abc"), ("漏水漏水", 9, "漏水…"), ("漏水漏水", 11, "漏水…"), ("漏水", 6, "漏水")],
)
def test_texts_are_cut_between_characters(text, most, expected):
    """Bytes are counted, and no character is cut in two."""
    assert shortened(text, most) == expected


def test_aliyun_sends_three_variables(aliyun):
    """Number, sign, template and short variables stand in the signed query."""
    provider, channel = aliyun
    delivery = channel.send(MESSAGE, PERSON)
    assert delivery.id == "9006^1"
    asked = provider.asked[0]
    assert json.loads(asked.query["TemplateParam"]) == {
        "place": "食堂1层冷库间",
        "device": "冷冻柜2",
        "number": "17-1",
    }
    assert asked.query["PhoneNumbers"] == "13800000005"


def test_aliyun_looks_before_it_sends_again(aliyun):
    """After an unknown outcome the receipt is looked up: what went out is not sent twice."""
    provider, channel = aliyun
    assert channel.send(MESSAGE, PERSON, doubtful=True).outcome is Outcome.SENT
    assert channel.send(MESSAGE, PERSON, doubtful=True).outcome is Outcome.SENT
    actions = [asked.headers["x-acs-action"] for asked in provider.asked]
    assert actions == ["QuerySendDetails", "QuerySendDetails", "SendSms", "QuerySendDetails"]


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [(3, Outcome.SENT, "OK"), (2, Outcome.FAILED, "UNDELIVERABLE"), (1, Outcome.RETRY, "no receipt yet")],
)
def test_aliyun_believes_the_receipt(aliyun, status, outcome, code):
    """What the carrier did not deliver is not sent; what it has not answered yet is asked for again, and not sent twice."""
    provider, channel = aliyun
    channel.send(MESSAGE, PERSON)
    provider.accepted[0] |= {"SendStatus": status, "ErrCode": "UNDELIVERABLE"}
    delivery = channel.send(MESSAGE, PERSON, doubtful=True)
    assert (delivery.outcome, delivery.code) == (outcome, code)
    assert len(provider.accepted) == 1


def test_aliyun_finds_what_went_out_before_midnight(aliyun, clock):
    """A try at 23:59:50 is found at 00:00:20 among yesterday's."""
    provider, channel = aliyun
    clock.now_ms += (11 * 3600 + 59 * 60 + 50) * 1000
    channel.send(MESSAGE, PERSON)
    clock.forward(30)
    assert channel.send(MESSAGE, PERSON, doubtful=True).outcome is Outcome.SENT
    assert len(provider.accepted) == 1


def test_aliyun_looks_through_all_pages(aliyun):
    """A receipt behind a hundred newer ones is found."""
    provider, channel = aliyun
    channel.send(MESSAGE, PERSON)
    provider.accepted += [{**provider.accepted[0], "OutId": f"99-{number}"} for number in range(120)]
    assert channel.send(MESSAGE, PERSON, doubtful=True).outcome is Outcome.SENT
    assert len(provider.accepted) == 121


def test_aliyun_without_an_answer_about_the_receipt_sends_nothing(aliyun):
    """Not knowing whether it went out is no leave to send it again."""
    provider, channel = aliyun
    channel.send(MESSAGE, PERSON)
    provider.failures.append(Answer({"Code": "isp.SYSTEM_ERROR", "Message": "x"}))
    assert channel.send(MESSAGE, PERSON, doubtful=True).outcome is Outcome.RETRY
    assert len(provider.accepted) == 1


def test_an_answer_that_drips_is_given_up(any_provider):
    """A provider whose answer never ends holds its channel for no longer than the deadline, and the next one is sent."""
    provider, channel = any_provider
    provider.failures.append(Answer({}, drip_s=0.1))
    delivery = channel.send(MESSAGE, PERSON)
    assert (delivery.outcome, delivery.code) == (Outcome.RETRY, "timeout")
    assert channel.send(MESSAGE, PERSON).outcome is Outcome.SENT


@pytest.mark.parametrize(
    ("code", "text", "outcome"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", Outcome.RETRY),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:50", Outcome.FAILED),
        ("isv.OUT_OF_SERVICE", "余额不足", Outcome.FAILED),
        ("isp.SYSTEM_ERROR", "系统错误", Outcome.RETRY),
        ("isv.MOBILE_NUMBER_ILLEGAL", "号码不合法", Outcome.FAILED),
    ],
)
def test_aliyun_codes(aliyun, code, text, outcome):
    """Business errors come with HTTP 200; only passing ones are tried again."""
    provider, channel = aliyun
    provider.failures.append(Answer({"Code": code, "Message": text, "RequestId": "r"}))
    assert channel.send(MESSAGE, PERSON).outcome is outcome


def test_tencent_keeps_to_six_characters(tencent):
    """New accounts allow six characters a variable."""
    provider, channel = tencent
    assert channel.send(MESSAGE, PERSON).id == "s-1"
    assert provider.asked[0].json()["TemplateParamSet"] == ["食堂1层冷库"[:6], "冷冻柜2", "17-1"]


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (
            {"SendStatusSet": [{"Code": "LimitExceeded.PhoneNumberThirtySecondLimit", "Message": ""}]},
            Outcome.RETRY,
        ),
        ({"SendStatusSet": [{"Code": "LimitExceeded.PhoneNumberDailyLimit", "Message": ""}]}, Outcome.FAILED),
        (
            {"SendStatusSet": [{"Code": "FailedOperation.InsufficientBalanceInSmsPackage", "Message": ""}]},
            Outcome.FAILED,
        ),
        ({"Error": {"Code": "AuthFailure.SignatureExpire", "Message": ""}}, Outcome.FAILED),
        ({"Error": {"Code": "InternalError.Timeout", "Message": ""}}, Outcome.RETRY),
    ],
)
def test_tencent_codes(tencent, response, outcome):
    """A number's failure stands inside a successful answer, and is found there."""
    provider, channel = tencent
    provider.failures.append(Answer({"Response": response}))
    assert channel.send(MESSAGE, PERSON).outcome is outcome


def test_sms_needs_a_number(aliyun, tencent):
    """Somebody without a phone number is told over the next channel."""
    for provider, channel in (aliyun, tencent):
        assert channel.send(MESSAGE, Recipient("x", "某人")).outcome is Outcome.FAILED
        assert provider.asked == []


def test_the_sites_channels_are_opened(database, clock):
    """Each channel of site.yaml is there under its name."""
    site = Site.model_validate(
        {
            "id": "s",
            "name": "S",
            "channels": {"a": {"kind": "console"}, "b": {"kind": "wecom_bot", "key": "k"}},
        }
    )
    channels = open_channels(site, database=database, now_ms=clock, write=lambda _text: None)
    assert {name: type(one) for name, one in channels.items()} == {"a": ConsoleChannel, "b": WeComBot}
