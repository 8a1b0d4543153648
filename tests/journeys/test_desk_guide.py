"""A newsroom's first ten minutes on a phone: from an empty house to a digest in one's own mailbox.

Then, at the same house, one more site is added from its address, and the brake is pulled and let go.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from pipeline.demo.world.newsroom import Newsroom
from tests.journeys import screens
from tests.journeys.house import House, built
from tests.journeys.people import editor, sign_in

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(280),
    pytest.mark.skipif(screens.CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
]
WIDTH = 360


@pytest.fixture(scope="module")
def second() -> Iterator[Newsroom]:
    """Another site on this machine."""
    newsroom = Newsroom()
    newsroom.start()
    yield newsroom
    newsroom.stop()


@pytest.fixture(scope="module")
def house(second: Newsroom) -> Iterator[House]:
    """Nothing is set in it, not even a mail server."""
    with built(empty=True) as made:
        made.environ.pop("DATELINE_SMTP_URL", None)
        made.environ.pop("DATELINE_POSTAL_ADDRESS", None)
        made.environ["DATELINE_FETCH_ALLOW"] += f",{urlsplit(second.url).netloc}"
        made.start(within_s=90)
        assert "--role admin" in (made.data_dir / "up.log").read_text(), (
            "how the first account is made stands in the terminal"
        )
        editor(made, role="admin")
        yield made


@pytest.fixture
def page(house: House) -> Iterator[object]:
    """An administrator's phone, signed in."""
    with screens.chromium() as browser:
        opened = browser.new_page(viewport={"width": WIDTH, "height": 780})
        sign_in(opened, house)
        yield opened


def fits(page) -> bool:  # type: ignore[no-untyped-def]
    return bool(page.evaluate("document.documentElement.scrollWidth") <= WIDTH)


def to_sources(page) -> None:  # type: ignore[no-untyped-def]
    page.locator("nav summary").click()
    page.get_by_role("navigation", name="Desk").get_by_role("link", name="Sources").click()
    page.get_by_role("heading", name="Sources", level=1).wait_for()


def step(page, name: str) -> None:  # type: ignore[no-untyped-def]
    page.get_by_role("navigation", name="Steps").get_by_role("link", name=name, exact=True).click()


def test_a_newsroom_goes_from_nothing_to_its_first_test_digest(house: House, page) -> None:  # type: ignore[no-untyped-def]
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    to_sources(page)
    assert "No site is watched yet" in page.inner_text("main") and fits(page)
    page.goto(f"{house.site}/desk/")
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


def test_an_editor_adds_a_site_from_one_address_and_pulls_the_brake(house: House, second: Newsroom, page) -> None:  # type: ignore[no-untyped-def]
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    mark = house.one("SELECT coalesce(max(id), 0) FROM dateline_journalentry")
    to_sources(page)
    assert fits(page)
    page.get_by_label("Address of the site").fill(second.url)
    page.get_by_role("button", name="Look what is there").click()
    page.get_by_role("heading", name="Watch it?").wait_for()
    assert fits(page)
    assert house.one("SELECT count(*) FROM dateline_source WHERE home_url LIKE %s", f"{second.url}%") == 0, (
        "nothing is added before it was confirmed"
    )
    page.get_by_label("Its name at the desk").fill("Our Dispatch")
    page.get_by_label("Yes, it is ours or agreed").check()
    page.get_by_role("button", name="Watch").click()
    page.get_by_role("heading", name="Our Dispatch").wait_for()
    assert fits(page) and "/ping/" in page.get_by_label("Ping address").input_value()
    looks = "SELECT looks FROM dateline_source WHERE home_url LIKE %s"
    house.until(lambda: house.one(looks, f"{second.url}%") >= 1, 40, "the first look")
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
    acts = "SELECT verb FROM dateline_journalentry WHERE actor_id IS NOT NULL AND id > %s ORDER BY id"
    verbs = house.rows(acts, mark)
    assert [row[0] for row in verbs] == ["add", "stop", "resume"]
    assert faults == []
