"""A small HTTP/1.1 server on loopback: the floor the pretend site, inbox and network stand on."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.kernel.templating import TEMPLATES

HOST = "127.0.0.1"
#: Seconds an idle keep-alive connection may hold its thread.
IDLE_S = 30
#: Largest request body taken, in bytes (a post with four pictures fits).
LARGEST_BODY = 24 * 1024 * 1024

_log = logging.getLogger(__name__)


class Hangup(Exception):
    """Raised by a site to close the connection before a single byte of an answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. `path` is decoded and has no query; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; `kind` is the whole Content-Type."""

    body: bytes = b""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = field(default=())


def json_answer(content: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """`content` as JSON in UTF-8."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return Answer(body=body, status=status, kind="application/json; charset=utf-8", headers=headers)


def redirect(location: str, *, status: int = 302) -> Answer:
    """To `location`, with an empty body."""
    return Answer(status=status, headers=(("Location", location),))


def templates(folder: str) -> Environment:
    """Jinja for `templates/pages/demo/<folder>`: HTML and XML escaped, missing names are errors."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES / "pages" / "demo" / folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def stylesheet(folder: str) -> Answer:
    """The folder's `look.css`."""
    content = (TEMPLATES / "pages" / "demo" / folder / "look.css").read_bytes()
    return Answer(body=content, kind="text/css; charset=utf-8", headers=(("Cache-Control", "max-age=60"),))


class LocalServer:
    """Serves `answer` on 127.0.0.1. `port` 0 takes a free one; `url` and `port` are known once started."""

    def __init__(self, *, answer: Callable[[Request], Answer], port: int = 0, name: str = "demo") -> None:
        self._answer, self._wanted, self._name = answer, port, name
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Raises RuntimeError before start."""
        if self._server is None:
            raise RuntimeError(f"{self._name} has not been started")
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, without a last slash."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Bind and serve. Raises OSError where the port is taken."""
        self._server = _Server(self._answer, self._wanted)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name=self._name, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Release the port and join every thread; harmless when not running."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is None or thread is None:
            return
        server.shutdown()
        thread.join()
        server.cut()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Remembers its connections, so that stopping does not wait for idle keep-alive clients."""

    # Joined by server_close(): a daemon thread would outlive the port it served.
    daemon_threads = False
    block_on_close = True
    request_queue_size = 256

    def __init__(self, answer: Callable[[Request], Answer], port: int) -> None:
        self.answer = answer
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind looks the host's name up in DNS, which can take seconds on a machine without any.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        """Wake the handlers that wait for another request."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "Pretence/1"
    sys_version = ""
    timeout = IDLE_S
    # One segment per answer: headers and body sent apart wait 40 ms for a delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_DELETE = do_PUT = do_OPTIONS = do_GET  # noqa: N815 - names http.server looks for

    def _serve(self) -> None:
        try:
            self._send(self._answered())
        except (Hangup, ConnectionError, TimeoutError):
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def _answered(self) -> Answer:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            return Answer(b"too large", 413, "text/plain")
        body = self.rfile.read(length) if length else b""
        try:
            return self.server.answer(self._request(body))
        except Hangup:
            raise
        except Exception:
            _log.exception("%s %s failed", self.command, self.path)
            return Answer(b"The pretence broke; the log says how.", 500, "text/plain; charset=utf-8")

    def _request(self, body: bytes) -> Request:
        parts = urlsplit(self.path)
        return Request(
            method="GET" if self.command == "HEAD" else self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        bare = answer.status in (204, 304)
        if not bare:
            self.send_header("Content-Type", answer.kind)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and not bare:
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        _log.debug(format, *args)
