"""SMS through Aliyun (dysmsapi, SendSms 2017-05-25), by an own signed client (INTEGRATIONS.md 2.1).

The template needs three variables: ``${place}``, ``${device}`` and ``${number}``. SendSms is not idempotent: after an
unknown outcome the receipt is looked up (QuerySendDetails, by our own ``OutId``) before anything is sent again.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from alerts.channels.acs3 import canonical_query, signed_headers
from alerts.channels.contract import Delivery, failed, retry, sent
from alerts.channels.http import ask, client
from alerts.channels.template import variables
from alerts.message import OutgoingMessage
from alerts.parked import NO_PHONE
from alerts.routing import Recipient
from campus.clock import DAY_MS, MINUTE_MS, SHANGHAI, from_ms
from campus.site import AliyunSmsChannel

_VARIABLE_CHARACTERS = 35
_VERSION = "2017-05-25"
#: worth another try; every other code goes to the next channel
_TRY_AGAIN = ("isp.SYSTEM_ERROR", "isp.", "Throttling", "ServiceUnavailable", "InternalError")
#: QuerySendDetails: the largest page, and more of them than a number may get messages in a day
_PAGE, _MOST_PAGES = 50, 20
#: its SendStatus; 1 is waiting for the carrier
_NOT_DELIVERED, _DELIVERED = "2", "3"
_MINUTE_LIMIT = "触发分钟级流控"


class AliyunSms:
    """One number a message, as batches are delayed."""

    def __init__(
        self, settings: AliyunSmsChannel, now_ms: Callable[[], int], *, timeout_s: float = 10.0
    ) -> None:
        self._settings = settings
        self._now_ms = now_ms
        self._http = client(settings.base_url, timeout_s=timeout_s)
        self._host = urlsplit(settings.base_url).netloc

    def send(self, message: OutgoingMessage, recipient: Recipient, *, doubtful: bool = False) -> Delivery:
        if not recipient.phone:
            return failed(NO_PHONE, f"{recipient.name or recipient.id} has no phone number in people.csv")
        if doubtful:
            earlier = self._receipt(message, recipient)
            if earlier is not None:
                return earlier
        place, what, number = variables(message, _VARIABLE_CHARACTERS)
        answer = self._call(
            "SendSms",
            {
                "PhoneNumbers": recipient.phone,
                "SignName": self._settings.sign_name,
                "TemplateCode": self._settings.template_code,
                "TemplateParam": json.dumps(
                    {"place": place, "device": what, "number": number}, ensure_ascii=False
                ),
                "OutId": message.key,
            },
        )
        if isinstance(answer, Delivery):
            return answer
        return _delivery(
            str(answer.get("Code", "")), str(answer.get("Message", "")), str(answer.get("BizId", ""))
        )

    def close(self) -> None:
        self._http.close()

    def _receipt(self, message: OutgoingMessage, recipient: Recipient) -> Delivery | None:
        """What became of an earlier try, or None when it never arrived there.

        Sent before midnight it is among yesterday's, so both days are looked through, every page of them.
        """
        now_ms = self._now_ms()
        for day_ms in (now_ms, now_ms - DAY_MS):
            found = self._sent_on(from_ms(day_ms, SHANGHAI).strftime("%Y%m%d"), message, recipient)
            if found is not None:
                return found
        return None

    def _sent_on(self, day: str, message: OutgoingMessage, recipient: Recipient) -> Delivery | None:
        for page in range(1, _MOST_PAGES + 1):
            query = {
                "PhoneNumber": recipient.phone,
                "SendDate": day,
                "PageSize": str(_PAGE),
                "CurrentPage": str(page),
            }
            answer = self._call("QuerySendDetails", query)
            if isinstance(answer, Delivery):
                return answer
            if answer.get("Code") != "OK":  # not knowing is no leave to send again
                return retry(str(answer.get("Code", "no code")), f"no receipt: {answer.get('Message', '')}")
            details = answer.get("SmsSendDetailDTOs")
            listed = details.get("SmsSendDetailDTO") if isinstance(details, dict) else None
            rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
            for row in rows:
                if row.get("OutId") == message.key:
                    return _received(row)
            if len(rows) < _PAGE:
                break
        return None

    def _call(self, action: str, query: dict[str, str]) -> dict[str, Any] | Delivery:
        headers = signed_headers(
            method="POST",
            path="/",
            query=query,
            headers={
                "host": self._host,
                "x-acs-action": action,
                "x-acs-version": _VERSION,
                "x-acs-date": from_ms(self._now_ms()).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "x-acs-signature-nonce": uuid.uuid4().hex,
            },
            body=b"",
            key_id=self._settings.access_key_id,
            key_secret=self._settings.access_key_secret.get_secret_value(),
        )
        request = self._http.build_request("POST", f"/?{canonical_query(query)}", headers=headers)
        return ask(self._http, request)


def _received(row: dict[str, Any]) -> Delivery:
    """The carrier's word on what Aliyun had taken; one that is still to come is asked for again."""
    status, code = str(row.get("SendStatus", "")), str(row.get("ErrCode", ""))
    if status == _DELIVERED:
        return sent("OK", "found among the provider's sent messages")
    if status == _NOT_DELIVERED:
        return failed(code or "not delivered", "the carrier did not deliver it")
    return retry("no receipt yet", "the provider waits for the carrier's receipt", after_ms=MINUTE_MS)


def _delivery(code: str, text: str, message_id: str) -> Delivery:
    if code == "OK":
        return sent(code, text, message_id=message_id)
    if not code:
        return retry("no code", "the answer has no Code")
    if code == "isv.BUSINESS_LIMIT_CONTROL" and _MINUTE_LIMIT in text:
        return retry(code, text, after_ms=MINUTE_MS)
    return retry(code, text) if code.startswith(_TRY_AGAIN) else failed(code, text)
