"""An editor's morning on a phone, in a real browser: a hand on the edition, an alert, approval, and what is sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from tests.journeys import screens
from tests.journeys.house import House
from tests.journeys.people import editor, sign_in

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(170),
    pytest.mark.skipif(screens.CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
]
WIDTH = 360


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


@pytest.fixture
def page(morning: House) -> Iterator[object]:
    """Ada's phone, signed in, with an edition that waits for her for hours and a newsletter of alerts."""
    editor(morning)
    ready_edition(morning)
    morning.rows("UPDATE dateline_edition SET slot_at = now() + interval '5 hours' WHERE state = 'ready' RETURNING id")
    morning.dateline("create-newsletter", "Breaking", "--from", "alerts@dispatch.example.org", "--every", "86400")
    morning.rows("UPDATE dateline_newsletter SET kind = 'alert', minimum = 1 WHERE slug = 'breaking' RETURNING id")
    with screens.chromium() as browser:
        opened = browser.new_page(viewport={"width": WIDTH, "height": 780})
        sign_in(opened, morning)
        yield opened


def headlines(page) -> list[str]:  # type: ignore[no-untyped-def]
    return [str(text) for text in page.locator(".picks .head a").all_inner_texts()]


def test_an_editor_moves_rewrites_leaves_out_alerts_and_approves_what_is_then_sent(morning: House, page) -> None:  # type: ignore[no-untyped-def]
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

    approved(house, page, edition)
    assert faults == []


def approved(house: House, page, edition: int) -> None:  # type: ignore[no-untyped-def]
    page.goto(f"{house.site}/desk/")
    assert "Morning Brief" in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    page.goto(f"{house.site}/desk/editions/{edition}/")
    message = page.request.get(f"{house.site}/desk/editions/{edition}/message.html")
    assert message.ok and "default-src 'none'" in message.headers["content-security-policy"]
    page.get_by_role("button", name="Send to 30 readers").click()
    page.get_by_text("Approved. It leaves").first.wait_for()
    assert house.one("SELECT state FROM dateline_edition WHERE id = %s", edition) == "approved"
    come = "UPDATE dateline_edition SET slot_at = now(), leaves_at = now() WHERE id = %s RETURNING id"
    assert house.rows(come, edition)
    state = "SELECT state FROM dateline_edition WHERE id = %s"
    house.until(lambda: house.one(state, edition) == "sent", 75, "sending")
    page.goto(f"{house.site}/desk/editions/{edition}/")
    assert "30" in page.inner_text("main")
    assert house.one("SELECT count(*) FROM dateline_journalentry WHERE verb = 'approve'") == 1
    subject = house.one("SELECT subject FROM dateline_edition WHERE id = %s", edition)
    mails = [mail for mail in house.inbox.mails() if mail.recipient.startswith("reader")]
    assert {mail.subject for mail in mails} == {subject}, "what was previewed is what was sent"
    assert all("Our own words" in mail.message.get_body(("plain",)).get_content() for mail in mails)
