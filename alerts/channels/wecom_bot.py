"""WeCom group bot (消息推送): a webhook into a group. Judged by ``errcode``, never by HTTP 200 (INTEGRATIONS.md 1.1)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from alerts.channels.contract import Delivery, failed, retry, sent
from alerts.channels.http import ask, client
from alerts.message import OutgoingMessage
from alerts.routing import GROUP, Recipient
from campus.clock import MINUTE_MS
from campus.site import WeComBotChannel

#: bytes of UTF-8 in ``text.content``; a Chinese character takes three
TEXT_BYTES = 2048
_ELLIPSIS = "…"
_FREQUENCY = 45009
#: the key is void, or the bot was disabled or removed from its group
_GONE = {93000, 93004, 93008}
_BUSY = -1
_TOO_LONG = 40058
#: of a minute's messages an exercise leaves this share to real alarms, which must never wait for their turn behind it
_REAL_SHARE = 0.4


class WeComBot:
    """Text messages, as only these can mention a person; at most *per_minute* in any minute."""

    def __init__(
        self, settings: WeComBotChannel, now_ms: Callable[[], int], *, timeout_s: float = 10.0
    ) -> None:
        self._key = settings.key
        self._per_minute = settings.per_minute
        self._now_ms = now_ms
        self._http = client(settings.base_url, timeout_s=timeout_s)
        self._lock = threading.Lock()
        self._sent_ms: deque[int] = deque()

    def send(self, message: OutgoingMessage, recipient: Recipient, *, doubtful: bool = False) -> Delivery:  # noqa: ARG002 - the contract's signature
        wait_ms = self._reserve(drill=message.drill)
        if wait_ms:
            return retry("rate", f"{self._per_minute} messages a minute are used up", after_ms=wait_ms)
        content = {"content": shortened(message.text(), TEXT_BYTES)} | _mentions(recipient)
        request = self._http.build_request(
            "POST",
            "/cgi-bin/webhook/send",
            params={"key": self._key.get_secret_value()},
            json={"msgtype": "text", "text": content},
        )
        answer = ask(self._http, request)
        return (
            answer
            if isinstance(answer, Delivery)
            else _delivery(answer.get("errcode"), str(answer.get("errmsg", "")))
        )

    def close(self) -> None:
        self._http.close()

    def _reserve(self, *, drill: bool) -> int:
        """0 and a place in this minute, or the milliseconds until there is one."""
        now_ms = self._now_ms()
        most = max(1, int(self._per_minute * (1 - _REAL_SHARE))) if drill else self._per_minute
        with self._lock:
            while self._sent_ms and not 0 <= now_ms - self._sent_ms[0] < MINUTE_MS:
                self._sent_ms.popleft()
            if len(self._sent_ms) >= most:
                return max(1, self._sent_ms[-most] + MINUTE_MS - now_ms)
            self._sent_ms.append(now_ms)
            return 0


def shortened(text: str, most_bytes: int) -> str:
    """*text* within *most_bytes* of UTF-8, cut between characters and marked with an ellipsis."""
    if len(text.encode()) <= most_bytes:
        return text
    room = most_bytes - len(_ELLIPSIS.encode())
    return text.encode()[:room].decode(errors="ignore") + _ELLIPSIS


def _mentions(recipient: Recipient) -> dict[str, list[str]]:
    if recipient.id == GROUP:
        return {}
    if recipient.wecom_id:
        return {"mentioned_list": [recipient.wecom_id]}
    return {"mentioned_mobile_list": [recipient.phone]} if recipient.phone else {}


def _delivery(code: object, text: str) -> Delivery:
    match code:
        case 0:
            return sent("0", text)
        case int() if code == _FREQUENCY:
            return retry(str(code), text, after_ms=MINUTE_MS)
        case int() if code in _GONE or code == _TOO_LONG:
            return failed(str(code), text)
        case int() if code == _BUSY:
            return retry(str(code), text)
        case int():
            return failed(str(code), text)
        case _:
            return retry("no errcode", f"the answer has no errcode: {text}")
