"""SMS through Tencent Cloud (SendSms 2021-01-11), by an own signed client (INTEGRATIONS.md 2.2).

The template needs three variables, in this order: place, device, number. Accounts opened since 2024 allow six
characters in each, which is the default here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from alerts.channels.contract import Delivery, failed, retry, sent
from alerts.channels.http import ask, client
from alerts.channels.tc3 import CONTENT_TYPE, authorization
from alerts.channels.template import variables
from alerts.message import OutgoingMessage
from alerts.parked import NO_PHONE
from alerts.routing import Recipient
from campus.clock import MINUTE_MS, SECOND_MS
from campus.site import TencentSmsChannel

_SERVICE = "sms"
_VERSION = "2021-01-11"
_THIRTY_SECONDS = "LimitExceeded.PhoneNumberThirtySecondLimit"
_TRY_AGAIN = ("InternalError", "RequestLimitExceeded", "FailedOperation.FailResolvePacket")


class TencentSms:
    """One number a message; a number's failure stands inside ``SendStatusSet`` of a successful answer."""

    def __init__(
        self, settings: TencentSmsChannel, now_ms: Callable[[], int], *, timeout_s: float = 10.0
    ) -> None:
        self._settings = settings
        self._now_ms = now_ms
        self._http = client(settings.base_url, timeout_s=timeout_s)
        self._host = urlsplit(settings.base_url).netloc

    def send(self, message: OutgoingMessage, recipient: Recipient, *, doubtful: bool = False) -> Delivery:  # noqa: ARG002 - this provider has no look-up by our own number
        if not recipient.phone:
            return failed(NO_PHONE, f"{recipient.name or recipient.id} has no phone number in people.csv")
        body = json.dumps(
            {
                "PhoneNumberSet": [f"+86{recipient.phone}"],
                "SmsSdkAppId": self._settings.sdk_app_id,
                "SignName": self._settings.sign_name,
                "TemplateId": self._settings.template_id,
                "TemplateParamSet": list(variables(message, self._settings.variable_characters)),
                "SessionContext": message.key,
            },
            ensure_ascii=False,
        ).encode()
        answer = ask(
            self._http, self._http.build_request("POST", "/", content=body, headers=self._headers(body))
        )
        return answer if isinstance(answer, Delivery) else _delivery(answer)

    def close(self) -> None:
        self._http.close()

    def _headers(self, body: bytes) -> dict[str, str]:
        time_s = self._now_ms() // SECOND_MS
        return {
            "content-type": CONTENT_TYPE,
            "host": self._host,
            "x-tc-action": "SendSms",
            "x-tc-version": _VERSION,
            "x-tc-region": self._settings.region,
            "x-tc-timestamp": str(time_s),
            "authorization": authorization(
                host=self._host,
                service=_SERVICE,
                body=body,
                time_s=time_s,
                secret_id=self._settings.secret_id,
                secret_key=self._settings.secret_key.get_secret_value(),
            ),
        }


def _delivery(answer: dict[str, Any]) -> Delivery:
    response = answer.get("Response")
    if not isinstance(response, dict):
        return retry("no response", "the answer has no Response")
    error = response.get("Error")
    if isinstance(error, dict):
        return _refused(str(error.get("Code", "")), str(error.get("Message", "")))
    statuses = response.get("SendStatusSet")
    status = statuses[0] if isinstance(statuses, list) and statuses else None
    if not isinstance(status, dict):
        return retry("no status", "the answer has no SendStatusSet")
    code, text = str(status.get("Code", "")), str(status.get("Message", ""))
    return (
        sent(code, text, message_id=str(status.get("SerialNo", ""))) if code == "Ok" else _refused(code, text)
    )


def _refused(code: str, text: str) -> Delivery:
    if code == _THIRTY_SECONDS:
        return retry(code, text, after_ms=MINUTE_MS // 2)
    return retry(code, text) if code.startswith(_TRY_AGAIN) or not code else failed(code, text)
