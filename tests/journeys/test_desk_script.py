"""The desk's own script, told what htmx tells it: when a page asks, and what it takes for an answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.kernel.config import TEMPLATES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
]
SEND = '<div id="progress" hx-get="/desk/editions/1/progress" hx-trigger="every 2s"></div><div id="providers" hx-trigger="load"></div>'
ASKS = """([id, hidden]) => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  const elt = document.getElementById(id);
  return elt.dispatchEvent(new CustomEvent("htmx:beforeRequest", { bubbles: true, cancelable: true, detail: { elt } }));
}"""
TAKES = """([path, url]) => {
  const detail = { shouldSwap: true, xhr: { responseURL: url }, requestConfig: { path } };
  document.body.dispatchEvent(new CustomEvent("htmx:beforeSwap", { bubbles: true, detail }));
  return detail.shouldSwap;
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = opened.new_page()
        page.route("https://desk.example/*", lambda route: route.fulfill(body=SEND, content_type="text/html"))
        page.goto("https://desk.example/")
        page.add_script_tag(content=(TEMPLATES / "pages" / "static" / "desk.js").read_text(encoding="utf-8"))
        yield page
        opened.close()


@pytest.mark.parametrize(
    ("part", "hidden", "asks"), [("progress", False, True), ("progress", True, False), ("providers", True, True)]
)
def test_a_tab_nobody_looks_at_does_not_ask_again_and_again(page: Any, part: str, hidden: bool, asks: bool) -> None:
    assert page.evaluate(ASKS, [part, hidden]) is asks


@pytest.mark.parametrize(
    ("url", "takes"),
    [
        ("https://desk.example/desk/editions/1/progress?to=queue", True),
        ("https://desk.example/desk/sign-in/?next=/desk/editions/1/progress", False),
        ("", True),
    ],
)
def test_the_sign_in_page_is_no_answer(page: Any, url: str, takes: bool) -> None:
    assert page.evaluate(TAKES, ["/desk/editions/1/progress?to=queue", url]) is takes
