"""An editor's day in a real browser, on one running house: a morning's send, a correction, a send by keys, a bad noon.

Each flow has a newsletter of its own and stands alone: a worker that takes one from another opens its own house.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.journeys import day as days
from tests.journeys import keyboard, screens
from tests.journeys.day import FIRST, READERS, Day

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(280),
    pytest.mark.skipif(screens.CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
]


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    with days.begun() as made:
        yield made


def test_a_morning_is_approved_taken_back_approved_watched_and_read_and_put_right_after(day: Day) -> None:
    send(day)
    put_right(day)


def send(day: Day) -> None:
    """Preview, checks, approval, undo, approval, progress, results."""
    page, edition = day.page, day.editions["Morning Brief"]
    day.open(edition)
    lead = page.locator(".picks .head a").first.inner_text()
    assert lead in page.frame_locator("iframe.light").locator("body").inner_text()
    wide = page.locator("iframe.light").bounding_box()["width"]
    page.locator("label[for=as-phone]").click()
    assert page.locator("iframe.light").bounding_box()["width"] < wide
    page.locator("label[for=as-text]").click()
    assert lead in page.frame_locator("iframe.text").locator("body").inner_text()
    assert not page.locator("iframe.light").is_visible()
    checks = page.get_by_role("region", name="Before it leaves")
    assert checks.inner_text().strip() and "Blocks" not in checks.inner_text()

    page.get_by_role("button", name=f"Send to {READERS} readers").click()
    day.says("Approved. It leaves")
    assert page.get_by_role("button", name="Keep and compose again").count() == 0, "approved words are not written over"
    page.locator(f"form[action$='/{edition}/undo'] button").click()
    day.says("Taken back: nothing was sent")
    assert day.state(edition) == "ready"
    page.get_by_role("button", name=f"Send to {READERS} readers").click()
    day.says("Approved. It leaves")

    day.gate.shut_after(FIRST)
    day.slot_comes(edition)
    day.open(edition)
    page.evaluate("window.same = true")
    day.says(f"of {READERS} done")
    assert float(page.locator("#progress progress").get_attribute("value")) < READERS
    day.gate.open()
    day.says(f"{READERS} of {READERS} done", within_s=40)
    assert page.evaluate("window.same"), "it went on without the page being loaded again"
    page.get_by_role("link", name="All results").click()
    day.says(f"All {READERS} readers who have it got one version, as Ada approved it.")
    assert "None of its stories was corrected" in page.inner_text("main")
    assert set(day.mailed().values()) == {1} and len(day.mailed()) == READERS
    assert day.faults == []


def put_right(day: Day) -> None:
    """A story of it is corrected: told where it was sent, and in the words of what was not."""
    page, house = day.page, day.house
    sent, unsent = day.editions["Morning Brief"], day.editions["Evening Brief"]
    day.open(unsent)
    old = page.locator(".picks .head a").nth(1).inner_text()
    new = days.corrected(house, old)
    day.open(unsent)
    page.get_by_role("button", name="Compose it again").click()
    day.says("Composed again.")
    assert new in page.frame_locator("iframe.light").locator("body").inner_text()

    page.goto(f"{house.site}/desk/editions/{sent}/results/")
    versions = page.get_by_role("region", name="Who got which version")
    assert f"All {READERS} readers who have it got one version" in versions.inner_text()
    assert new in versions.inner_text() and "was corrected" in versions.inner_text()
    page.goto(f"{house.site}/archive/morning-brief/{sent}/")
    assert "The number of crates was four, not forty." in page.inner_text(".dl-notes")
    assert old in page.inner_text("body") and new in page.inner_text("body"), "the letter stays as it was sent"
    assert day.faults == []


def test_an_edition_is_composed_approved_and_sent_with_keys_alone(day: Day) -> None:
    page, edition = day.page, day.editions["Evening Brief"]
    page.goto(f"{day.house.site}/desk/")
    hands = keyboard.Hands(page)
    hands.press("Control+k", "evening")
    page.get_by_role("link", name="Edition Evening Brief").first.wait_for()
    hands.walk_to("Edition Evening Brief", by="ArrowDown")
    hands.press("Enter")
    page.wait_for_url(f"**/desk/editions/{edition}/")
    before = [str(text) for text in page.locator(".picks .head a").all_inner_texts()]
    assert hands.lap() > 30, "Tab goes round the whole page and comes out of every part of it"

    hands.walk_to(f"Down: {before[1]}", "↓ Down")
    hands.press("Enter")
    day.says("Moved down.")
    hands.walk_to("Words, picture, another block")
    hands.press("Enter")
    hands.walk_to("Headline")
    hands.press("Control+a", "Written with ten fingers")
    hands.walk_to("Keep these words")
    hands.press("Enter")
    day.says("Kept for this edition")
    shown = [str(text) for text in page.locator(".picks .head a").all_inner_texts()]
    hands.press("a")
    assert hands.at().name.startswith(f"Send to {READERS} readers")
    hands.press("Enter")
    day.says("Approved. It leaves")

    day.gate.shut_after(FIRST)
    day.slot_comes(edition)
    hands.press("g", "q")
    page.wait_for_url("**/desk/queue/")
    hands.walk_to("Evening Brief")
    hands.press("Enter")
    day.says(f"of {READERS} done")
    day.gate.open()
    day.says(f"{READERS} of {READERS} done", within_s=40)
    assert set(day.mailed().values()) == {1} and len(day.mailed()) == READERS
    assert "Written with ten fingers" in shown
    for words in day.letters().values():
        assert all(headline in words for headline in shown), (
            "what the page shows, and what was corrected before, is sent"
        )
    assert day.faults == []


def test_a_send_is_paused_loses_a_story_is_stopped_and_goes_to_the_rest(day: Day) -> None:
    page, house, edition = day.page, day.house, day.editions["Noon Brief"]
    day.open(edition)
    headline = page.locator(".picks .head a").nth(2).inner_text()
    page.get_by_role("button", name=f"Send to {READERS} readers").click()
    day.says("Approved. It leaves")
    day.gate.shut_after(FIRST)
    day.slot_comes(edition)
    day.open(edition)
    page.get_by_role("button", name="Pause", exact=True).click()
    day.says("Paused. It will stop within")
    day.gate.open()
    held = "SELECT count(*) FROM dateline_batch WHERE state = 'claimed'"
    house.until(lambda: not house.one(held), 30, "every worker's stop")
    early = set(day.mailed())
    assert 0 < len(early) < READERS

    story = house.one("SELECT id FROM dateline_article WHERE headline = %s", headline)
    page.goto(f"{house.site}/desk/articles/{story}/")
    page.get_by_text("Kill this story…").click()
    reach = re.search(r"It is in mail to (\d+) readers that has left or is leaving", page.inner_text("main"))
    assert reach and int(reach[1]) >= READERS
    page.get_by_label("Why").fill("The ambassador never said it")
    page.get_by_role("button", name="Kill this story").click()
    day.says("Killed: it leaves everything")

    day.gate.shut_after(FIRST)
    day.open(edition)
    page.get_by_role("button", name="Resume: send to the other").click()
    house.until(lambda: len(day.mailed()) > len(early), 30, "the send's going on")
    day.open(edition)
    page.get_by_text("Cancel the rest…").click()
    page.locator("#cancel-why").fill("A second look")
    page.get_by_role("button", name="Cancel the rest").click()
    day.says("will not get it")
    day.gate.open()
    house.until(lambda: not house.one(held), 30, "every worker's stop")
    assert len(day.mailed()) < READERS
    day.open(edition)
    page.get_by_role("button", name="Send it to the rest").click()
    day.says("Nobody gets it twice.")
    day.says(f"{READERS} of {READERS} done", within_s=40)
    assert set(day.mailed().values()) == {1} and len(day.mailed()) == READERS
    assert {who for who, words in day.letters().items() if headline in words} == early, "the rest got it without"
    page.goto(f"{house.site}/desk/editions/{edition}/results/")
    day.says(f"without “{headline}”, which was killed.")
    day.says(f"About {READERS - len(early)} readers from")
    assert day.faults == []


def test_posting_is_stopped_goes_on_without_what_was_held_and_ends_with_the_money(day: Day) -> None:
    page, house = day.page, day.house
    page.goto(f"{house.site}/desk/posts/")
    page.get_by_text("Stop all posting…").click()
    page.get_by_label("Why").fill("Wrong words are live")
    page.get_by_role("button", name="Stop all posting").click()
    day.says("Stopped: nothing is posted")
    kept_back, waits = days.stories_told(day, 2)
    page.goto(f"{house.site}/desk/")
    day.says("“Wrong words are live”")
    page.goto(f"{house.site}/desk/posts/")
    ahead = page.get_by_role("region", name="What will go out").get_by_role("listitem")
    assert ahead.filter(has_text=waits).count() == 1
    ahead.filter(has_text=kept_back).get_by_role("button", name="Hold").click()
    day.says("Held: it waits until somebody approves it.")
    assert not days.posted(house, kept_back) and not days.posted(house, waits), "nothing leaves while it is stopped"

    page.get_by_role("button", name="Post again").click()
    day.says("Posting goes on")
    house.until(lambda: days.posted(house, waits), 30, "the post that waited")
    page.goto(f"{house.site}/desk/posts/")
    held = ahead.filter(has_text=kept_back)
    assert "Ada decided so" in held.inner_text() and not days.posted(house, kept_back)
    held.get_by_role("button", name="Approve").click()
    day.says("Approved: it leaves at the time shown.")
    house.until(lambda: days.posted(house, kept_back), 30, "the post that was held")

    # the same account on a network that takes money, with less of it than one post costs
    house.rows("UPDATE dateline_account SET network = 'x', budget_usd = 0.01 RETURNING id")
    days.stories_told(day, 1)
    held_ = "SELECT count(*) FROM dateline_post WHERE state = 'held' AND code = 'budget_spent'"
    house.until(lambda: house.one(held_), 30, "a post that is too dear")
    page.goto(f"{house.site}/desk/posts/")
    day.says("The money for this month does not reach")
    assert "$0.00 of $0.01 spent this month" in page.inner_text("main")
    assert day.faults == []
