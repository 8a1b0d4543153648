"""A newsroom's first ten minutes on a phone: from an empty house to a digest in one's own mailbox."""

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
    pytest.mark.timeout(280),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
]
PASSWORD = "harbour-row-0630"
WIDTH = 360


@pytest.fixture
def page(house: House) -> Iterator[object]:
    """An administrator's phone, signed in at a house where nothing is set, not even a mail server."""
    from playwright.sync_api import sync_playwright

    house.environ.pop("DATELINE_SMTP_URL", None)
    house.environ.pop("DATELINE_POSTAL_ADDRESS", None)
    house.start(within_s=90)
    assert "--role admin" in (house.data_dir / "up.log").read_text(), (
        "how the first account is made stands in the terminal"
    )
    secret = house.data_dir / "password"
    secret.write_text(PASSWORD)
    subprocess.run(
        [sys.executable, "-m", "pipeline", "create-editor", "ada@dispatch.example.org", "--name", "Ada", "--role", "admin", "--password-file", str(secret)],
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


def step(page, name: str) -> None:  # type: ignore[no-untyped-def]
    page.get_by_role("navigation", name="Steps").get_by_role("link", name=name, exact=True).click()


def test_a_newsroom_goes_from_nothing_to_its_first_test_digest(house: House, page) -> None:  # type: ignore[no-untyped-def]
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.get_by_role("link", name="First steps").click()
    assert "6 of 6 are missing" in page.inner_text("main") and fits(page)

    page.get_by_role("link", name="Give its address").click()
    page.get_by_label("Address of the site").fill(house.newsroom.url)
    page.get_by_role("button", name="Look what is there").click()
    page.get_by_label("Yes, it is ours or agreed").check()
    page.get_by_role("button", name="Watch").click()
    page.wait_for_url(f"{house.site}/desk/guide/")
    house.until(
        lambda: house.one("SELECT count(*) FROM dateline_article WHERE headline <> ''") >= 10, 60, "the first look"
    )

    page.get_by_role("link", name="Name it").click()
    page.get_by_label("Its name").fill("Harbour Brief")
    page.get_by_label("From address").fill("brief@dispatch.example.org")
    assert fits(page)
    page.get_by_role("button", name="Make the newsletter").click()
    page.wait_for_url(f"{house.site}/desk/guide/sender")
    page.get_by_label("Postal address").fill("The Meridian Dispatch\n12 Harbour Row, Brussels")
    page.get_by_role("button", name="Keep the sender").click()
    page.get_by_label("Mail server").fill("127.0.0.1")
    page.get_by_label("Port", exact=True).fill(str(house.inbox.smtp_port))
    page.get_by_label("Encryption").select_option("smtp")
    page.get_by_role("button", name="Knock, and keep it").click()
    page.get_by_text("Kept, and mail can leave").wait_for()

    step(page, "The design")
    page.get_by_label("Design").select_option("section")
    shown = page.frame_locator("iframe[name=letter]")
    shown.get_by_text("12 Harbour Row").first.wait_for()
    assert fits(page)
    page.get_by_role("button", name="Keep these looks").click()
    step(page, "Readers")
    page.get_by_role("button", name="Add ada@dispatch.example.org").click()
    step(page, "A test digest")
    page.get_by_role("button", name="Send a test digest").click()
    page.get_by_text("The server took it: 250").wait_for()

    [mail] = house.inbox.mails()
    assert mail.recipient == "ada@dispatch.example.org"
    assert "12 Harbour Row" in mail.message.get_body(("plain",)).get_content()
    page.goto(f"{house.site}/desk/guide/")
    assert "Everything that is needed is done" in page.inner_text("main")
    assert house.one("SELECT count(*) FROM dateline_delivery") == 0
    assert not [fault for fault in faults if "/o/0000" not in fault], "all but the picture that counts opens is let in"
