"""The whole chain on real processes: a story is published, and reaches an inbox, a timeline and Most Popular."""

from __future__ import annotations

import json
import re
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.request import Request, urlopen

import httpx
import pytest
from django.utils import timezone
from lxml import html

from tests.journeys.house import House

pytestmark = [pytest.mark.journey, pytest.mark.timeout(170)]
READERS = 60


def html_of(raw: bytes) -> str:
    message = message_from_bytes(raw, policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def story_links(raw: bytes) -> dict[str, str]:
    """Tracked address -> the words it stands under, for links a person can see."""
    links: dict[str, str] = {}
    for anchor in html.fromstring(html_of(raw)).iter("a"):
        words = " ".join(anchor.text_content().split())
        if "/c/" in anchor.get("href", "") and words and "display:none" not in (anchor.get("style") or ""):
            links.setdefault(anchor.get("href"), words)
    return links


def follow(url: str, *, as_reader: int) -> str:
    """Click as one reader with a browser, from a network of their own; where it leads."""
    headers = {
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
        "X-Forwarded-For": f"198.18.{as_reader % 250}.7",
        "Accept-Language": "en",
    }
    answer = httpx.get(url, headers=headers, follow_redirects=False, timeout=10)
    assert answer.status_code == 302
    assert answer.headers["cache-control"] == "private, no-store"
    return answer.headers["location"]


def test_a_published_story_reaches_an_inbox_a_timeline_and_most_popular(morning: House) -> None:
    house = morning
    announced_before = house.one("SELECT count(*) FROM dateline_article WHERE state = 'eligible'")
    assert announced_before == 0, "first contact is a baseline: nothing is announced"

    readers = house.data_dir / "readers.csv"
    readers.write_text("email\n" + "".join(f"reader{n}@readers.example.org\n" for n in range(READERS)))
    house.dateline(
        "create-newsletter",
        "Morning Brief",
        "--from",
        "brief@dispatch.example.org",
        "--every",
        "15",
        "--home",
        house.newsroom.url,
        "--approval",
        "rules",
    )
    assert house.dateline("import-subscribers", str(readers), "--topic", "morning-brief")["entered"] == READERS
    assert house.dateline("import-subscribers", str(readers), "--topic", "morning-brief")["entered"] == 0

    time.sleep(1.2)
    published = [house.newsroom.publish_next(timezone.now()) for _ in range(5)]
    house.until(lambda: len(house.network.posts) >= 5, 25, "posting five headlines")
    assert len({post.text for post in house.network.posts}) == 5
    headlines = {release.story.title for release in published}
    assert all(any(headline[:40] in post.text for post in house.network.posts) for headline in headlines)

    house.until(lambda: house.inbox.total >= READERS, 45, "a digest to every reader")
    mails = house.inbox.mails()
    assert len({mail.recipient for mail in mails[:READERS]}) == READERS

    links = story_links(mails[0].raw)
    by_url = {release_url(house, release): release.story.title for release in published}
    led = {follow(url, as_reader=200): words for url, words in links.items()}
    stories = {url: words for url, words in led.items() if url in by_url}
    assert len(stories) >= 3
    assert all(
        words in by_url[url] or by_url[url] in words for url, words in stories.items() if "read" not in words.lower()
    )

    favourite, headline = next((url, words) for url, words in stories.items() if words == by_url[url])
    time.sleep(3)  # a click within the quarantine of its mail's acceptance is a machine's
    for n, mail in enumerate(mails[1:21]):
        mine = next(url for url, words in story_links(mail.raw).items() if words == headline)
        assert follow(mine, as_reader=n) == favourite

    def top() -> str:
        with urlopen(Request(f"{house.site}/popular.json?window=today")) as answer:
            items = json.load(answer)["items"]
        return str(items[0]["url"]) if items and items[0]["clicks"] else ""

    house.until(lambda: top() == favourite, 30, "the clicks leading Most Popular")
    report = house.dateline("rebuild-ranking", "--check")
    assert report["equal"] and report["votes"] > 0
    counted = house.rows(
        """SELECT article_id, count(*) FROM (SELECT DISTINCT article_id, person FROM dateline_event
            WHERE kind = 'click' AND verdict = 'human' AND article_id IS NOT NULL) v GROUP BY 1"""
    )
    kept = house.rows("SELECT article_id, sum(n) FROM dateline_tally GROUP BY 1 HAVING sum(n) > 0")
    assert dict(counted) == {article: int(n) for article, n in kept}

    before = house.inbox.total
    for _ in range(4):
        house.newsroom.publish_next(timezone.now())
    house.until(lambda: house.inbox.total >= before + READERS, 60, "the next digest")
    carried = "SELECT count(*) FROM dateline_item WHERE picked AND code = 'popular'"
    assert house.one(carried) >= 1
    assert re.search("most popular", html_of(house.inbox.mails()[0].raw), re.IGNORECASE)

    etag = httpx.get(f"{house.site}/popular.json").headers["etag"]
    assert httpx.get(f"{house.site}/popular.json", headers={"If-None-Match": etag}).status_code == 304
    fragment = httpx.get(f"{house.site}/popular.html").text
    assert "<script" not in fragment and fragment.count("<li>") >= 3

    leave_and_stay_gone(house)
    assert house.stop() == 0
    assert house.pids("celery") == [] and house.pids("granian") == [] and house.pids("postgres") == []


def release_url(house: House, release: object) -> str:
    return house.newsroom.url + str(release.path)  # type: ignore[attr-defined]


def leave_and_stay_gone(house: House) -> None:
    """One-click by POST leaves; opening the same link by GET had changed nothing."""
    mail = house.inbox.mails()[0]
    header = message_from_bytes(mail.raw, policy=policy.SMTP)["List-Unsubscribe"]
    url = re.search(r"<(https?://[^>]+)>", header)
    assert url
    for _ in range(3):
        assert httpx.get(url[1]).status_code == 200
    left = "SELECT count(*) FROM dateline_subscription WHERE left_at IS NOT NULL"
    assert house.one(left) == 0
    for _ in range(2):
        assert httpx.post(url[1], data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert house.one(left) == 1
