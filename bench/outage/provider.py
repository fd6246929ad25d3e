"""A stand-in of a message provider (WeCom's group bot), which counts what it is asked to send."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_FRIDGE = re.compile(r"「(冷藏柜\d+)」")
_ANSWER = json.dumps({"errcode": 0, "errmsg": "ok"}).encode()


class Provider:
    """Counts messages by fridge and by whether they tell of its recovery."""

    def __init__(self) -> None:
        self.messages: Counter[tuple[str, bool]] = Counter()
        self._lock = threading.Lock()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                provider.note(body)
                self.send_response(200)
                self.send_header("content-length", str(len(_ANSWER)))
                self.end_headers()
                self.wfile.write(_ANSWER)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def note(self, body: str) -> None:
        """Counts one message; what speaks of no fridge is not of this bench's model."""
        text = json.dumps(json.loads(body), ensure_ascii=False)
        fridge = _FRIDGE.search(text)
        if fridge is not None:
            with self._lock:
                self.messages[fridge[1], "已恢复" in text] += 1

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
