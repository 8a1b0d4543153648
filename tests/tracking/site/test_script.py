"""The beacon's script: a kilobyte that measures visible time, in a browser, against a real door's answers."""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.tracking.app import DoorSettings
from pipeline.tracking.site.script import served
from tests.tracking.opening import opened

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_PAGE = b"""<!doctype html><link rel=canonical href="/story/7"><script>%s</script><script src="/b.js"></script>"""


def test_it_is_a_kilobyte_at_most_and_says_nothing_to_itself() -> None:
    assert len(served()) <= 1024
    assert b"//" not in served().replace(b"https://", b"")
    assert b"cookie" not in served() and b"localStorage" not in served()


async def test_the_door_serves_it_to_every_site(options: DoorSettings) -> None:
    async with opened(options) as door:
        answer = await door.get("/b.js")
    assert (answer.status, answer.body) == (200, served())
    assert answer.headers[b"content-type"] == b"text/javascript; charset=utf-8"
    assert answer.headers[b"cross-origin-resource-policy"] == b"cross-origin"


@dataclass(slots=True)
class Site:
    """A page with the script in it, and what its browser sent. Not our door: only what the script says is looked at."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    told: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def news() -> Iterator[Site]:
    site = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            at = urlsplit(self.path)
            if at.path == "/b/page":
                site.asked.append(parse_qs(at.query)["url"][0])
                return self._say(b'{"token":"TOKEN"}', "application/json")
            if at.path == "/b.js":
                return self._say(served(), "text/javascript")
            before = b"window.datelineConsent=false" if at.query == "no" else b""
            return self._say(_PAGE % before, "text/html")

        def do_POST(self) -> None:
            at = urlsplit(self.path)
            site.told.append({"path": at.path, **{name: value[0] for name, value in parse_qs(at.query).items()}})
            self._say(b"", "text/plain")

        def _say(self, body: bytes, media: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Not into the test's output."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield site
    server.shutdown()
    server.server_close()


@pytest.mark.journey
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not on PATH")
def test_a_browser_tells_how_long_a_page_was_shown_and_only_where_it_may(news: Site, until: Any) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        try:
            driven = browser.new_page()
            driven.clock.install()
            driven.goto(f"{news.url}/story/7")
            driven.clock.run_for(5000)
            driven.goto("about:blank")
            assert (news.asked, news.told) == ([], [])

            page = browser.new_page()
            page.add_init_script("Object.defineProperty(navigator, 'webdriver', {get: () => false})")
            page.clock.install()
            page.goto(f"{news.url}/story/7?no")
            page.clock.run_for(5000)
            assert news.asked == []
            page.evaluate("window.datelineConsent = true")
            page.clock.run_for(3000)
            until(lambda: bool(news.asked))
            page.wait_for_timeout(100)
            page.clock.run_for(4000)
            page.goto("about:blank")
            until(lambda: bool(news.told))
        finally:
            browser.close()
    assert news.asked == [f"{news.url}/story/7"]
    (report,) = news.told
    assert (report["path"], report["n"]) == ("/b/TOKEN", "0")
    assert 4 <= int(report["s"]) <= 8
