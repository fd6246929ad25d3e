"""Local stand-ins of the providers' HTTP interfaces: for tests and for drills without a contract.

They judge as the providers do (INTEGRATIONS.md 1.1, 2.1, 2.2): by their own codes inside HTTP 200, by bytes, by minute.
"""

from __future__ import annotations

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


class Provider:
    """An HTTP server on loopback that answers through *reply* and remembers what it was asked.

    ``failures`` are answered first, one a request: an :class:`Answer`, or ``None`` for a connection that just ends.
    """

    def __init__(self, reply: Callable[[Asked], Answer]) -> None:
        self.asked: list[Asked] = []
        self.failures: list[Answer | None] = []
        self._reply = reply
        self._arrived = threading.Condition()
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
                self.send_response(answer.status)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

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
    accepted: list[dict[str, str]] = []

    def reply(asked: Asked) -> Answer:
        if f"Credential={key_id}," not in asked.headers.get("authorization", ""):
            return Answer(
                {"Code": "InvalidAccessKeyId.NotFound", "Message": "Specified access key is not found."}, 404
            )
        if asked.headers["x-acs-action"] == "QuerySendDetails":
            found = [one for one in accepted if one["PhoneNum"] == asked.query["PhoneNumber"]]
            return Answer({"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": found}})
        if any(len(value) > 35 for value in json.loads(asked.query["TemplateParam"]).values()):
            return Answer({"Code": "isv.PARAM_LENGTH_LIMIT", "Message": "参数超过长度限制"})
        accepted.append(
            {"PhoneNum": asked.query["PhoneNumbers"], "OutId": asked.query["OutId"], "SendStatus": "3"}
        )
        return Answer({"Code": "OK", "Message": "OK", "BizId": f"9006^{len(accepted)}", "RequestId": "r"})

    return Provider(reply)


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
