"""An editor's morning in a real browser: sign in, look, approve, see it leave."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.utils import timezone

from tests.journeys.house import House

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(170),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
]
PASSWORD = "harbour-row-0630"


@pytest.fixture
def browser() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield opened
        opened.close()


def ready_edition(house: House) -> None:
    """An edition that waits for approval and leaves within the minute."""
    readers = house.data_dir / "readers.csv"
    readers.write_text("email\n" + "".join(f"reader{n}@readers.example.org\n" for n in range(30)))
    house.dateline("create-newsletter", "Morning Brief", "--from", "brief@dispatch.example.org", "--every", "60")
    house.rows("UPDATE dateline_newsletter SET compose_before_s = 58, cutoff_before_s = 30, undo_s = 1 RETURNING id")
    house.dateline("import-subscribers", str(readers), "--topic", "morning-brief")
    for _ in range(4):
        house.newsroom.publish_next(timezone.now())
    house.until(
        lambda: house.one("SELECT count(*) FROM dateline_edition WHERE state = 'ready'"),
        70,
        "an edition to approve",
    )


def sign_in(page, house: House) -> None:  # type: ignore[no-untyped-def]
    page.goto(f"{house.site}/desk/")
    page.get_by_label("Email").fill("ada@dispatch.example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{house.site}/desk/")


@pytest.mark.parametrize("width", [360])
def test_an_editor_approves_the_morning_edition_from_a_phone(morning: House, browser, width: int) -> None:  # type: ignore[no-untyped-def]
    house = morning
    secret = house.data_dir / "password"
    secret.write_text(PASSWORD)
    subprocess.run(
        [sys.executable, "-m", "pipeline", "create-editor", "ada@dispatch.example.org", "--name", "Ada", "--password-file", str(secret)],
        env=house.environ, check=True, capture_output=True,
    )  # fmt: skip
    ready_edition(house)
    page = browser.new_page(viewport={"width": width, "height": 780})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    sign_in(page, house)
    assert "Morning Brief" in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    edition = house.one("SELECT id FROM dateline_edition WHERE state = 'ready'")
    page.goto(f"{house.site}/desk/editions/{edition}/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    message = page.request.get(f"{house.site}/desk/editions/{edition}/message.html")
    assert message.ok and "default-src 'none'" in message.headers["content-security-policy"]
    page.get_by_role("button", name="Send to 30 readers").click()
    page.wait_for_load_state()
    assert house.one("SELECT state FROM dateline_edition WHERE id = %s", edition) in {
        "approved",
        "sending",
        "sent",
    }
    house.until(
        lambda: house.one("SELECT state FROM dateline_edition WHERE id = %s", edition) == "sent",
        75,
        "sending",
    )
    page.goto(f"{house.site}/desk/editions/{edition}/")
    assert "30" in page.inner_text("main")
    assert house.one("SELECT count(*) FROM dateline_journalentry WHERE verb = 'approve'") == 1
    subject = house.one("SELECT subject FROM dateline_edition WHERE id = %s", edition)
    read = {mail.subject for mail in house.inbox.mails() if mail.recipient.startswith("reader")}
    assert read == {subject}, "what was previewed is what was sent"
    assert faults == []
