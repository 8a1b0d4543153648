"""A small site on loopback whose pages a test writes, and a client that may reach it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.kernel.outbound.http import Client

BODY = " ".join(f"Sentence number {n} says what the delegates of the river towns agreed upon." for n in range(12))


class Site:
    """Pages by path: (status, body). What is not there answers 404."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, str]] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                status, body = site.pages.get(self.path, (404, "<html><body>No such page.</body></html>"))
                raw = body.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.place}/"

    def write(
        self, path: str, headline: str, text: str = BODY, *, status: int = 200, lead: str = "", more: str = ""
    ) -> str:
        """Publish or change a story; its address."""
        paragraphs = "".join(f"<p>{part}</p>" for part in [*([lead] if lead else []), *text.split("\n\n")])
        html = f"<html lang=en><head><title>{headline}</title></head><body><article><h1>{headline}</h1>{paragraphs}{more}</article></body></html>"
        self.pages[path] = (status, html)
        return self.url.rstrip("/") + path


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(5)


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    with Client(site_url="http://127.0.0.1", allow=frozenset({site.place})) as made:
        yield made
