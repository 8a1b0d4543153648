"""A server on loopback that gives its answers in order, whatever is asked, and writes down what it heard."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message as EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

Answer: TypeAlias = tuple[int, Any, dict[str, str]]  #: status, JSON or bytes, headers


@dataclass
class Script:
    """Answers given in order; the last is repeated. `heard` is method, path and body; `headers` those of each."""

    answers: list[Answer]
    heard: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[EmailMessage] = field(default_factory=list)
    url: str = ""

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def scripted() -> Iterator[Script]:
    """Run such a server; it answers 200 {} until told otherwise."""
    told = Script(answers=[(200, {}, {})])

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.heard.append((self.command, self.path, body))
            told.headers.append(self.headers)
            status, content, headers = told.next()
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if not isinstance(content, bytes) and "Content-Type" not in headers:
                self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815 - http.server asks for these names

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
