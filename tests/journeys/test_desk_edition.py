"""An editor lays a hand on the morning edition from a phone, then raises an alert, in a real browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.journeys.house import House
from tests.journeys.test_desk_morning import PASSWORD, ready_edition, sign_in

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(170),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
]
WIDTH = 360


@pytest.fixture
def page(morning: House) -> Iterator[object]:
    """Ada's phone, signed in, with an edition that waits for her for hours and a newsletter of alerts."""
    from playwright.sync_api import sync_playwright

    secret = morning.data_dir / "password"
    secret.write_text(PASSWORD)
    subprocess.run(
        [sys.executable, "-m", "pipeline", "create-editor", "ada@dispatch.example.org", "--name", "Ada", "--password-file", str(secret)],
        env=morning.environ, check=True, capture_output=True,
    )  # fmt: skip
    ready_edition(morning)
    morning.rows(
        "UPDATE dateline_edition SET slot_at = now() + interval '5 hours' WHERE state = 'ready' RETURNING id"
    )  # fmt: skip
    morning.dateline("create-newsletter", "Breaking", "--from", "alerts@dispatch.example.org", "--every", "86400")
    morning.rows("UPDATE dateline_newsletter SET kind = 'alert', minimum = 1 WHERE slug = 'breaking' RETURNING id")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        opened = browser.new_page(viewport={"width": WIDTH, "height": 780})
        sign_in(opened, morning)
        yield opened
        browser.close()


def headlines(page) -> list[str]:  # type: ignore[no-untyped-def]
    return [str(text) for text in page.locator(".picks .head a").all_inner_texts()]


def test_an_editor_moves_rewrites_leaves_out_and_alerts(morning: House, page) -> None:  # type: ignore[no-untyped-def]
    house, faults = morning, []
    page.on("pageerror", lambda error: faults.append(str(error)))
    edition = house.one("SELECT id FROM dateline_edition WHERE state = 'ready' ORDER BY slot_at DESC LIMIT 1")
    page.goto(f"{house.site}/desk/editions/{edition}/")
    before = headlines(page)
    assert len(before) >= 4
    page.locator("#block-2 li").first.get_by_role("button", name="Down").click()
    page.get_by_text("Moved down.").wait_for()
    assert headlines(page)[:3] == [before[0], before[2], before[1]], "composed before the page answers"
    moved = page.locator("#block-2 li.pinned")
    assert moved.locator(".tag").inner_text() == "by hand"
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH

    page.locator("#block-1 summary").click()
    page.locator("#block-1").get_by_label("Headline").fill("Our own words")
    page.get_by_role("button", name="Keep these words").first.click()
    page.get_by_text("Kept for this edition").wait_for()
    assert headlines(page)[0] == "Our own words"
    assert f"The site says: “{before[0]}”" in (page.locator("#block-1").text_content() or "")
    assert "Our own words" in page.frame_locator("iframe.light").locator("body").inner_text()

    page.locator("#block-2 li").last.get_by_role("button", name="Leave out").click()
    page.get_by_text("Left out of this edition").wait_for()
    page.locator("label[for=as-text]").click()
    assert "Our own words" in page.frame_locator("iframe.text").locator("body").inner_text()
    verbs = house.rows("SELECT verb FROM dateline_journalentry WHERE actor_id IS NOT NULL ORDER BY id")
    assert [row[0] for row in verbs] == ["place", "override", "leave_out"]

    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Taken back: Ada left out").wait_for()
    page.get_by_role("button", name="Redo").wait_for()
    page.locator("#subject").fill("Typed, and not kept yet")
    page.locator("label[for=as-phone]").click()
    page.get_by_role("link", name="Images off").click()
    page.locator(".switches a[aria-current]").wait_for()
    assert page.locator("#subject").input_value() == "Typed, and not kept yet", "a look keeps what one types"
    assert page.is_checked("#as-phone")
    page.locator("#find-story").fill(before[0].split()[0])
    page.locator("#pool-found li").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    beat = "SELECT part FROM dateline_presence WHERE subject = 'edition'"
    page.wait_for_function("document.querySelector('#here input[name=part]').value === 'pool'")
    assert house.rows(beat), "the open page said that somebody is here"

    page.goto(f"{house.site}/desk/alerts/")
    page.locator(".stories a").first.click()
    assert "Never alerted" in page.inner_text("main")
    page.get_by_label("So what?").fill("Ports close at noon.\nTrains run.")
    page.get_by_role("button", name="Compose the alert").click()
    page.get_by_text("Raised. Nothing was sent yet").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    assert "Ports close at noon." in page.frame_locator("iframe.light").locator("body").inner_text()
    alert = "SELECT e.state FROM dateline_edition e JOIN dateline_newsletter n ON n.id = e.newsletter_id WHERE n.kind = 'alert' AND e.note <> ''"
    assert house.one(alert) == "ready"
    assert faults == []
