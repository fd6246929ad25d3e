"""Local stand-ins of the providers' HTTP interfaces: for tests and for drills without a contract.

They judge as the providers do (INTEGRATIONS.md 1.1, 2.1, 2.2): by their own codes inside HTTP 200, by bytes, by minute.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

TEXT_BYTES = 2048


class Asked(NamedTuple):
    """A request as it arrived."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Answer(NamedTuple):
    """What the stand-in says."""

    body: Any
    status: int = 200
    #: where not 0, the answer never ends, with a character every so many seconds
    drip_s: float = 0.0


class Provider:
    """An HTTP server on loopback that answers through *reply* and remembers what it was asked.

    ``failures`` are answered first, one a request: an :class:`Answer`, or ``None`` for a connection that just ends.
    """

    def __init__(self, reply: Callable[[Asked], Answer]) -> None:
        self.asked: list[Asked] = []
        self.failures: list[Answer | None] = []
        #: messages a stand-in has taken, with what it says of each; a test may change them
        self.accepted: list[dict[str, Any]] = []
        self._reply = reply
        self._arrived = threading.Condition()
        self.closed = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def wait_for(self, count: int, timeout_s: float) -> bool:
        """Whether *count* requests have arrived in time."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self.asked) >= count, timeout_s)

    def close(self) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)

    def _answer(self, asked: Asked) -> Answer | None:
        with self._arrived:
            self.asked.append(asked)
            self._arrived.notify_all()
            if self.failures:
                return self.failures.pop(0)
        return self._reply(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = provider._answer(Asked(url.path, query, headers, body))
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                if answer.drip_s:
                    self._drip(answer.drip_s)
                    return
                self.send_response(answer.status)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def _drip(self, pause_s: float) -> None:
                """A header without end, a character at a time, until the other side has enough."""
                with contextlib.suppress(OSError):
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                    while not provider.closed.wait(pause_s):
                        self.wfile.write(b"x")
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


def wecom_bot(key: str) -> Provider:
    """A WeCom group bot with that key."""

    def reply(asked: Asked) -> Answer:
        if asked.query.get("key") != key:
            return Answer({"errcode": 93000, "errmsg": "invalid webhook url"})
        content = asked.json().get("text", {}).get("content", "")
        if not content or len(content.encode()) > TEXT_BYTES:
            return Answer({"errcode": 40058, "errmsg": f"text.content exceed max length {TEXT_BYTES}"})
        return Answer({"errcode": 0, "errmsg": "ok"})

    return Provider(reply)


def aliyun_sms(key_id: str) -> Provider:
    """Aliyun's SendSms and QuerySendDetails; a wrong key id or a variable too long is refused as there."""
    accepted: list[dict[str, Any]] = []

    def reply(asked: Asked) -> Answer:
        if f"Credential={key_id}," not in asked.headers.get("authorization", ""):
            return Answer(
                {"Code": "InvalidAccessKeyId.NotFound", "Message": "Specified access key is not found."}, 404
            )
        if asked.headers["x-acs-action"] == "QuerySendDetails":
            return _details(accepted, asked.query)
        if any(len(value) > 35 for value in json.loads(asked.query["TemplateParam"]).values()):
            return Answer({"Code": "isv.PARAM_LENGTH_LIMIT", "Message": "参数超过长度限制"})
        row = {
            "PhoneNum": asked.query["PhoneNumbers"],
            "OutId": asked.query["OutId"],
            "SendStatus": 3,
            "ErrCode": "DELIVERED",
        }
        accepted.append(row | {"SendDate": _local_time(asked.headers["x-acs-date"])})
        return Answer({"Code": "OK", "Message": "OK", "BizId": f"9006^{len(accepted)}", "RequestId": "r"})

    provider = Provider(reply)
    provider.accepted = accepted
    return provider


def _details(accepted: list[dict[str, Any]], query: dict[str, str]) -> Answer:
    """A page of what one number was sent on one day, the newest first."""
    day = query["SendDate"]
    found = [
        one
        for one in reversed(accepted)
        if one["PhoneNum"] == query["PhoneNumber"] and one["SendDate"].replace("-", "").startswith(day)
    ]
    size, page = int(query["PageSize"]), int(query["CurrentPage"])
    if not 1 <= size <= 50:
        return Answer({"Code": "isv.PAGE_SIZE_INVALID", "Message": "PageSize"})
    rows = found[(page - 1) * size : page * size]
    return Answer(
        {
            "Code": "OK",
            "Message": "OK",
            "TotalCount": len(found),
            "SmsSendDetailDTOs": {"SmsSendDetailDTO": rows},
        }
    )


def _local_time(utc: str) -> str:
    """Aliyun's days are China's."""
    moment = dt.datetime.strptime(utc, "%Y-%m-%dT%H:%M:%SZ") + dt.timedelta(hours=8)  # noqa: DTZ007 - it is UTC by its Z
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def tencent_sms(secret_id: str) -> Provider:
    """Tencent's SendSms; a variable of more than six characters fails inside ``SendStatusSet``."""

    def reply(asked: Asked) -> Answer:
        if f"Credential={secret_id}/" not in asked.headers.get("authorization", ""):
            error = {"Code": "AuthFailure.SecretIdNotFound", "Message": "The SecretId is not found"}
            return Answer({"Response": {"Error": error, "RequestId": "r"}})
        body = asked.json()
        long = any(len(value) > 6 for value in body["TemplateParamSet"])
        code = "InvalidParameterValue.TemplateParameterLengthLimit" if long else "Ok"
        status = {
            "SerialNo": "" if long else "s-1",
            "PhoneNumber": body["PhoneNumberSet"][0],
            "Code": code,
            "Message": code,
        }
        return Answer({"Response": {"SendStatusSet": [status], "RequestId": "r"}})

    return Provider(reply)
