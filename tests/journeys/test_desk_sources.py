"""An editor adds a site from a phone, pulls the brake and lets it go, in a real browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.journeys.house import House

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(170),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
]
PASSWORD = "harbour-row-0630"
WIDTH = 360


@pytest.fixture
def page(house: House) -> Iterator[object]:
    """Ada's phone, signed in at a house that watches nothing yet."""
    from playwright.sync_api import sync_playwright

    house.start()
    secret = house.data_dir / "password"
    secret.write_text(PASSWORD)
    subprocess.run(
        [sys.executable, "-m", "pipeline", "create-editor", "ada@dispatch.example.org", "--name", "Ada", "--password-file", str(secret)],
        env=house.environ, check=True, capture_output=True,
    )  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        opened = browser.new_page(viewport={"width": WIDTH, "height": 780})
        opened.goto(f"{house.site}/desk/")
        opened.get_by_label("Email").fill("ada@dispatch.example.org")
        opened.get_by_label("Password").fill(PASSWORD)
        opened.get_by_role("button", name="Sign in").click()
        opened.wait_for_url(f"{house.site}/desk/")
        yield opened
        browser.close()


def fits(page) -> bool:  # type: ignore[no-untyped-def]
    return bool(page.evaluate("document.documentElement.scrollWidth") <= WIDTH)


def to_sources(page) -> None:  # type: ignore[no-untyped-def]
    page.locator("nav summary").click()
    page.get_by_role("navigation", name="Desk").get_by_role("link", name="Sources").click()
    page.get_by_role("heading", name="Sources", level=1).wait_for()


def test_an_editor_adds_a_site_from_one_address_and_pulls_the_brake(house: House, page) -> None:  # type: ignore[no-untyped-def]
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    to_sources(page)
    assert fits(page)
    assert "No site is watched yet" in page.inner_text("main") and fits(page)
    page.get_by_label("Address of the site").fill(house.newsroom.url)
    page.get_by_role("button", name="Look what is there").click()
    page.get_by_role("heading", name="Watch it?").wait_for()
    assert fits(page)
    assert house.one("SELECT count(*) FROM dateline_source") == 0, "nothing is added before it was confirmed"
    page.get_by_label("Its name at the desk").fill("Our Dispatch")
    page.get_by_label("Yes, it is ours or agreed").check()
    page.get_by_role("button", name="Watch").click()
    page.get_by_role("heading", name="Our Dispatch").wait_for()
    assert fits(page) and "/ping/" in page.get_by_label("Ping address").input_value()
    house.until(lambda: house.one("SELECT looks FROM dateline_source") >= 1, 40, "the first look")
    assert house.one("SELECT count(*) FROM dateline_article WHERE state <> 'baseline'") == 0

    to_sources(page)
    page.get_by_text("Stop telling…").click()
    page.get_by_label("Why").fill("the wrong archive was restored")
    page.get_by_role("button", name="Stop telling").click()
    page.goto(f"{house.site}/desk/editions/")
    assert "Ada stopped it at" in page.inner_text(".brake") and fits(page)
    page.get_by_role("link", name="To the brake").click()
    page.get_by_role("button", name="Tell again").click()
    page.get_by_text("Telling goes on.").wait_for()
    assert page.locator(".brake").count() == 0
    verbs = house.rows("SELECT verb FROM dateline_journalentry WHERE actor_id IS NOT NULL ORDER BY id")
    assert [row[0] for row in verbs] == ["add", "stop", "resume"]
    assert faults == []
