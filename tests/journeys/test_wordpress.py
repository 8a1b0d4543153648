"""A real publisher watched by a real house: what its editors do, and what is told of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.journeys import wordpress
from tests.journeys.house import House, built
from tests.journeys.wordpress import Post, WordPress, story

LACKS = wordpress.missing()
pytestmark = [
    pytest.mark.journey,
    pytest.mark.timeout(170),
    pytest.mark.skipif(LACKS is not None, reason=str(LACKS)),
]
ARCHIVE = 12
IMPORTED = 250  #: more than two pages of the REST interface; tests/sources/test_acceptance.py has the 500
SECTION = ("Diplomatic News", "Ambassadors")
FIELDS = (
    "a.id, a.state, a.code, a.headline, a.url, a.section_path, a.dateline, a.text, a.related, a.announced_at, a.told"
)


@dataclass
class Town:
    """A house that watches a site."""

    house: House
    site: WordPress
    token: str

    def close_window(self) -> None:
        """Forget earlier hints, so that the next causes a look at once and not at the end of its five seconds.

        We ask for no source's lock: a worker that removes the same rows in another order may be met, and then it goes on.
        """
        try:
            self.house.rows("DELETE FROM dateline_look RETURNING id")
        except psycopg.errors.DeadlockDetected:
            self.close_window()

    def hint(self) -> None:
        """What WordPress sends, at the moment of our choice."""
        self.close_window()
        answer = httpx.post(f"{self.house.site}/ping/{self.token}", content=PING, headers={"Content-Type": "text/xml"})
        assert answer.status_code == 200, answer.text

    def article(self, post: Post) -> dict[str, Any]:
        """The one row of a post; {} while it is not known."""
        names = [name.split(".")[1] for name in FIELDS.split(", ")]
        found = self.house.rows(
            f"SELECT {FIELDS} FROM dateline_article a JOIN dateline_alias l ON l.article_id = a.id"  # noqa: S608
            " WHERE l.kind = 'wp_id' AND l.value = %s",
            str(post.id),
        )
        return dict(zip(names, found[0], strict=True)) if found else {}

    def bulletins(self, post: Post) -> list[str]:
        article_id = self.article(post).get("id")
        found = self.house.rows("SELECT kind FROM dateline_bulletin WHERE article_id = %s ORDER BY id", article_id)
        return [kind for (kind,) in found]

    def versions(self, post: Post) -> list[str]:
        article_id = self.article(post).get("id")
        found = self.house.rows("SELECT kind FROM dateline_version WHERE article_id = %s ORDER BY number", article_id)
        return [kind for (kind,) in found]

    def news(self) -> int:
        """How many stories were told, ever."""
        return int(self.house.one("SELECT count(*) FROM dateline_bulletin WHERE kind = 'new'"))

    def record(self) -> list[tuple[Any, ...]]:
        """Every bulletin and every version there is."""
        return self.house.rows(
            "SELECT 'bulletin', article_id, kind FROM dateline_bulletin"
            " UNION ALL SELECT 'version', article_id, kind FROM dateline_version ORDER BY 1, 2, 3"
        )

    def look(self) -> None:
        """Have feed and REST looked at, and give what they wake its time."""
        began = datetime.now(UTC)
        self.hint()
        self.until(partial(self.seen, since=began), "a look at the site")
        time.sleep(0.5)

    def seen(self, *, since: datetime) -> bool:
        """Has every way that shows news been looked at since?"""
        waiting = "SELECT count(*) FROM dateline_channel WHERE kind <> 'sitemap' AND NOT last_checked_at > %s"
        return not self.house.one(waiting, since)

    def told(self, post: Post, within_s: float = 20) -> dict[str, Any]:
        """The article, once it is told."""
        self.until(lambda: self.article(post).get("announced_at"), f"telling {post.slug}", within_s)
        return self.article(post)

    def until(self, holds: Callable[[], object], what: str, within_s: float = 20) -> None:
        """Wait for something; fail with where the articles stand."""
        try:
            self.house.until(holds, within_s, what)
        except AssertionError as error:
            raise AssertionError(f"{self.stand()}\n{error}") from error

    def stand(self) -> str:
        """Where articles stand, how the site's newest page answers, and what the last looks found."""
        articles = self.house.rows(
            "SELECT state, code, missing_at, tries, count(*) FROM dateline_article GROUP BY 1, 2, 3, 4"
        )
        url = self.house.one("SELECT url FROM dateline_article ORDER BY id DESC LIMIT 1")
        page = self.site.web.get(url)
        looks = self.house.rows(
            "SELECT channel_id, status, entries, fresh, note FROM dateline_observation ORDER BY id DESC LIMIT 8"
        )
        return f"{articles}\n{url} answers {page.status_code} {page.text[:300]!r}\n" + "\n".join(map(str, looks))


PING = b"""<?xml version="1.0"?><methodCall><methodName>weblogUpdates.ping</methodName><params>
<param><value><string>The Meridian Dispatch</string></value></param>
<param><value><string>http://127.0.0.1/</string></value></param></params></methodCall>"""


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """The site has an archive, is watched, and pings the house; the house has looked twice."""
    with built() as house, wordpress.publisher() as site:
        site.import_old(ARCHIVE, newest=datetime.now(UTC) - timedelta(hours=3))
        site.publish("Ambassadors of the week", body(0), section=SECTION, at=datetime.now(UTC) - timedelta(days=1))
        house.environ["DATELINE_FETCH_ALLOW"] = urlsplit(site.url).netloc
        house.start()
        told = house.dateline("watch", site.url, "--every", "60")
        assert told["stories"] > ARCHIVE
        token = house.one("UPDATE dateline_source SET usual_per_hour = 3600, settle_s = 1 RETURNING ping_token")
        made = Town(house, site, token)
        made.look()
        site.set_ping_url(f"{house.site}/ping/{token}")
        site.run_cron()
        assert made.news() == 0, "first contact is a baseline: nothing is announced"
        yield made


def body(number: int) -> str:
    """Five paragraphs that are in no other story."""
    return "".join(f"<p>{story(number * 100 + place)}</p>" for place in range(5))


def publish(town: Town, title: str, number: int, **fields: Any) -> Post:
    return town.site.publish(title, body(number), section=SECTION, **fields)


def test_a_post_is_known_by_its_ping_and_told_once_as_its_page_says(town: Town) -> None:
    today = datetime.now(UTC)
    text = (
        f"<p><strong>Tokyo, {today:%-d %B %Y} (TDI):</strong> The ambassador met the minister on Friday.</p>{body(1)}"
        f'<p>Also read: <a href="{town.site.url}/hello-world/">A visit to the harbour &amp; back</a></p>{body(2)}'
    )
    town.close_window()
    post = town.site.publish("Envoy’s visit: “talks” & a toast", text, section=SECTION)
    town.site.visit()  # WordPress <= 6.8 pings with the next request
    town.until(lambda: town.article(post).get("state") == "eligible", "an eligible article by a ping", 15)

    told = town.told(post)
    assert told["headline"] == "Envoy’s visit: “talks” & a toast"
    assert told["url"] == post.url
    assert told["section_path"] == list(SECTION)
    assert told["dateline"] | {"place": "Tokyo", "agency": "TDI", "date": f"{today:%Y-%m-%d}"} == told["dateline"]
    assert story(100) in told["text"] and story(204) in told["text"]
    for furniture in ("Also read", "Follow us", "Most Popular", "Share this"):
        assert furniture not in told["text"]
    assert [link["title"] for link in told["related"]] == ["A visit to the harbour & back"]
    town.look()
    assert town.bulletins(post) == ["new"]


def test_a_signed_message_of_the_connector_tells_what_is_published_and_what_is_taken_back(town: Town) -> None:
    hook = town.house.dateline("add-push", town.site.url, "--kind", "webhook")
    town.site.connect(endpoint=hook["endpoint"], secret=hook["secret"])
    try:
        post = publish(town, "Minister leaves for Geneva", 11)
        town.until(lambda: town.article(post).get("state") == "eligible", "an eligible article by a message", 15)
        town.told(post)
        town.site.unpublish(post)
        town.until(lambda: town.article(post)["state"] == "gone", "the article being gone", 10)
        assert town.bulletins(post) == ["new", "gone"]
    finally:
        town.site.set_options(dateline_connector_endpoint="")


def test_a_scheduled_post_is_told_once_when_its_hour_has_come_though_a_newer_one_was_first(town: Town) -> None:
    scheduled = publish(town, "The council meets at dawn", 3, at=datetime.now(UTC) + timedelta(hours=2))
    assert scheduled.status == "future"
    due = datetime.now(UTC) - timedelta(seconds=1)
    newer = publish(town, "Grain ships leave the harbour", 4)
    town.look()
    town.told(newer)
    assert town.article(scheduled) == {}, "nobody may see what is scheduled"
    town.site.come_due(scheduled, due)
    town.site.run_cron()
    town.look()
    town.told(scheduled)
    town.look()
    assert town.bulletins(scheduled) == town.bulletins(newer) == ["new"]


def test_an_edit_is_a_version_of_its_class_and_no_second_announcement(town: Town) -> None:
    post = publish(town, "Fisheries accord signed in Bergen", 5)
    town.look()
    town.told(post)
    edits = (
        body(5).replace(story(504), story(504).replace("spoke of", "spoke about")),
        f"{body(5)}<p>{story(990)}</p><p>{story(991)}</p>",
        f"<p>Correction: an earlier version named the wrong envoy.</p>{body(5)}",
    )
    for number, content in enumerate(edits, start=2):
        town.site.edit(post, content=content)
        town.look()
        town.until(lambda many=number: len(town.versions(post)) == many, f"version {number}", 10)  # type: ignore[misc]
    assert town.versions(post) == ["first", "cosmetic", "material", "correction"]
    assert town.bulletins(post) == ["new", "update", "correction"]


def test_a_bulk_edit_of_21_posts_and_a_new_slug_are_no_news(town: Town) -> None:
    posts = [publish(town, f"Delegation {number} arrives in Oslo", 20 + number) for number in range(21)]
    town.look()
    for post in posts:
        town.told(post, 40)
    before = town.record()
    assert town.site.bulk_edit(posts) == 21
    moved = town.site.change_slug(posts[0], "delegation-is-home-again")
    town.look()
    town.until(lambda: town.article(posts[0])["url"] == moved.url, "the new address", 10)
    town.look()
    assert town.record() == before


def test_a_post_taken_back_before_it_settled_is_never_told(town: Town) -> None:
    town.house.rows("UPDATE dateline_source SET settle_s = 4 RETURNING id")
    try:
        post = publish(town, "Cabinet resigns, or does it", 6)
        town.look()
        assert town.article(post)["state"] == "eligible"
        town.site.unpublish(post)
        town.until(lambda: town.article(post)["state"] != "eligible", "a last look at its page", 20)
    finally:
        town.house.rows("UPDATE dateline_source SET settle_s = 1 RETURNING id")
    assert town.article(post)["announced_at"] is None
    assert town.bulletins(post) == []


def test_a_post_taken_back_later_is_gone_after_two_looks_ten_minutes_apart(town: Town) -> None:
    post = publish(town, "Inquiry finds nothing amiss", 7)
    town.look()
    article_id = town.told(post)["id"]
    town.site.trash(post)
    missing = "SELECT missing_at FROM dateline_article WHERE id = %s"
    town.look()
    town.until(lambda: town.house.one(missing, article_id), "missing its page", 10)
    assert town.bulletins(post) == ["new"], "one answer of 404 is no proof"
    earlier = "UPDATE dateline_article SET missing_at = missing_at - interval '11 minutes' WHERE id = %s RETURNING id"
    town.house.rows(earlier, article_id)
    town.look()
    town.until(lambda: town.article(post)["state"] == "gone", "the article being gone", 20)
    assert town.bulletins(post) == ["new", "gone"]


def test_new_guids_for_all_and_one_real_post_tell_exactly_one(town: Town) -> None:
    news = town.news()
    assert town.site.rewrite_guids() > ARCHIVE
    post = publish(town, "Jurist named to the border panel", 8)
    town.look()
    town.told(post)
    town.look()
    assert town.news() == news + 1


def test_a_post_deleted_and_made_anew_under_its_old_address_is_told_once(town: Town) -> None:
    news = town.news()
    first = publish(town, "Embassy reopens after the flood", 9)
    town.look()
    town.told(first)
    town.site.delete(first)
    again = publish(town, "Embassy reopens after the flood", 9)
    assert again.url == first.url and again.id != first.id
    town.look()
    assert town.article(again)["id"] == town.article(first)["id"]
    assert town.news() == news + 1


def test_old_posts_put_in_by_an_importer_are_found_and_none_is_told(town: Town) -> None:
    news = town.news()
    town.site.import_old(IMPORTED, newest=datetime.now(UTC) - timedelta(days=30), first=ARCHIVE)
    found = "SELECT count(*) FROM dateline_article WHERE headline LIKE 'From the archive%%' AND state = 'archived'"
    try:
        town.hint()
        town.until(lambda: town.house.one(found) == IMPORTED, "finding and archiving old posts", 120)
        assert town.news() == news
    finally:
        town.house.rows("UPDATE dateline_source SET cautious_until = NULL, cautious_because = '' RETURNING id")
