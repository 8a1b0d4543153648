"""One answer of a browser, waited for on loopback (RFC 8252 7.3)."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

from pipeline.channels.consent.asking import ConsentError

_PAGE = "<!doctype html><title>Dateline</title><p>Dateline has the answer. You can close this window.</p>"
_PATIENCE_S = 5.0  #: of one connection that says nothing


def is_loopback(redirect: str) -> bool:
    """Whether we can listen there: plain HTTP on this machine, on a port of its own."""
    parts = urlsplit(redirect)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and parts.port is not None


class Listener:
    """Bound at once, so that no answer is missed. Raises ConsentError where the port is taken."""

    def __init__(self, redirect: str) -> None:
        self._redirect, parts = redirect, urlsplit(redirect)

        class Once(BaseHTTPRequestHandler):
            heard: ClassVar[list[str]] = []
            timeout = _PATIENCE_S

            def do_GET(self) -> None:
                wanted = urlsplit(self.path).path == (parts.path or "/")
                if wanted:
                    self.heard.append(self.path)
                body = _PAGE.encode()
                self.send_response(200 if wanted else 404)
                for name, value in {
                    "Content-Type": "text/html; charset=utf-8",
                    "Content-Length": str(len(body) if wanted else 0),
                    "Cache-Control": "no-store",
                    "Referrer-Policy": "no-referrer",
                    "Connection": "close",
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body if wanted else b"")

            def log_message(self, format: str, *args: object) -> None:
                """The address holds the code."""

        self._heard = Once.heard
        try:
            self._server = HTTPServer(("127.0.0.1", parts.port or 80), Once)
        except OSError as error:
            raise ConsentError(f"nobody can listen at {redirect}: {error.strerror}; give another --redirect") from error

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def wait(self, *, timeout_s: float) -> str:
        """The address that the browser was led to. Raises ConsentError when nobody came in time."""
        ends = time.monotonic() + timeout_s
        while not self._heard:
            self._server.timeout = max(0.0, ends - time.monotonic())
            if not self._server.timeout:
                raise ConsentError(f"nobody came back to {self._redirect} in {timeout_s:.0f} s: nothing was stored")
            self._server.handle_request()
        return self._heard[0]
