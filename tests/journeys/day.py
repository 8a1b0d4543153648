"""A day at one running house: an inbox that can be made to wait, three newsletters, and an editor's window."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone

from pipeline.demo.world.inbox import Inbox, Mail
from pipeline.demo.world.stories import Block
from tests.journeys import screens
from tests.journeys.house import House, built
from tests.journeys.people import editor, sign_in

READERS, FIRST = 200, 40
SLOW_S = 0.01
NAMES = ("Morning Brief", "Evening Brief", "Noon Brief")
READY = "SELECT n.name, e.id FROM dateline_edition e JOIN dateline_newsletter n ON n.id = e.newsletter_id WHERE e.state = 'ready'"


@dataclass
class Gate:
    """Before the inbox: takes mail slowly, and after `limit` of them none until it is opened."""

    inbox: Inbox
    limit: int | None = None
    opened: threading.Event = field(default_factory=threading.Event)

    def take(self, **mail: Any) -> None:
        time.sleep(SLOW_S)
        if self.limit is not None and self.inbox.total >= self.limit:
            self.opened.wait(60)
        Inbox.take(self.inbox, **mail)

    def shut_after(self, count: int) -> None:
        self.opened.clear()
        self.limit = self.inbox.total + count

    def open(self) -> None:
        self.limit = None
        self.opened.set()


@dataclass
class Day:
    """The house, the way into its inbox, and the editor's window."""

    house: House
    gate: Gate
    page: Any
    editions: dict[str, int]
    faults: list[str] = field(default_factory=list)
    began: int = 0

    def says(self, words: str, within_s: float = 20) -> None:
        """The page comes to say this; otherwise what it says instead is the fault."""
        try:
            self.page.get_by_text(words).first.wait_for(timeout=within_s * 1000)
        except Exception as error:
            raise AssertionError(f"not said: {words}\n{self.page.url}\n{self.page.inner_text('body')}") from error

    def state(self, edition: int) -> str:
        return str(self.house.one("SELECT state FROM dateline_edition WHERE id = %s", edition))

    def open(self, edition: int) -> None:
        self.page.goto(f"{self.house.site}/desk/editions/{edition}/")

    def slot_comes(self, edition: int) -> None:
        """Its slot was hours away; now it is here, and the first letters leave."""
        came = "UPDATE dateline_edition SET slot_at = now(), leaves_at = now() WHERE id = %s AND state = 'approved' RETURNING id"
        began = self.house.inbox.total
        assert self.house.rows(came, edition)

        self.began = began
        self.house.until(self.mailed, 40, "the first mails")

    def mailed(self) -> Counter[str]:
        """How many letters of the edition that left last lie in each reader's box."""
        return Counter(mail.recipient for mail in self._mails())

    def letters(self) -> dict[str, str]:
        """The words of each reader's letter of it, on one line."""
        plain = {mail.recipient: mail.message.get_body(("plain",)) for mail in self._mails()}
        return {who: " ".join(part.get_content().split()) for who, part in plain.items() if part is not None}

    def _mails(self) -> list[Mail]:
        return self.house.inbox.mails(address="@readers.example.org", after=self.began)


@contextmanager
def _house() -> Iterator[House]:
    """One for all of the day: five stories told, three newsletters of one morning, an editor."""
    with built() as made:
        made.open()
        for _ in range(5):
            made.newsroom.publish_next(timezone.now())
        told = "SELECT count(*) FROM dateline_bulletin WHERE kind = 'new'"
        made.until(lambda: made.one(told) >= 5, 60, "five stories told")
        with ThreadPoolExecutor(2) as hands:
            list(hands.map(lambda name: newsletter(made, name), NAMES))
        made.rows("UPDATE dateline_newsletter SET compose_before_s = 86400, undo_s = 1 RETURNING id")
        editor(made)
        ready = "SELECT count(DISTINCT newsletter_id) FROM dateline_edition WHERE state = 'ready'"
        made.until(lambda: made.one(ready) == len(NAMES), 60, "an edition of each newsletter")
        made.rows("DELETE FROM dateline_edition WHERE state IN ('planned', 'collecting') RETURNING id")
        yield made


def newsletter(house: House, name: str) -> None:
    slug = name.lower().replace(" ", "-")
    readers = house.data_dir / f"{slug}.csv"
    readers.write_text("email\n" + "".join(f"reader{n}@readers.example.org\n" for n in range(READERS)))
    house.dateline("create-newsletter", name, "--from", f"{slug}@dispatch.example.org", "--every", "86400")
    house.dateline("import-subscribers", str(readers), "--topic", slug)


@contextmanager
def begun() -> Iterator[Day]:
    """The house runs, its editor sits at the desk."""
    with _house() as house:
        yield from _at_the_desk(house)


def _at_the_desk(house: House) -> Iterator[Day]:
    gate = Gate(house.inbox)
    house.inbox.take = gate.take  # type: ignore[method-assign]
    with screens.chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page.set_default_timeout(20_000)
        made = Day(house, gate, page, dict(house.rows(READY)))
        page.on("pageerror", lambda error: made.faults.append(f"{page.url}: {error}"))
        sign_in(page, house)
        yield made
        gate.open()


def corrected(house: House, headline: str) -> str:
    """The site puts a story right, and says so under it; its new headline. The next story makes its feed new."""
    newsroom, now = house.newsroom, "Put right: " + headline
    with newsroom._lock:
        at, release = next((n, one) for n, one in enumerate(newsroom._released) if one.story.title == headline)
        words = (*release.story.blocks, Block("correction", "Correction: The number of crates was four, not forty."))
        newsroom._released[at] = replace(release, story=replace(release.story, title=now, blocks=words))
    newsroom.publish_next(timezone.now())
    told = "SELECT count(*) FROM dateline_bulletin WHERE kind = 'correction'"
    house.until(lambda: house.one(told), 40, "the correction")
    return now


def stories_told(day: Day, count: int) -> list[str]:
    """The next stories, by headline, once each has a post that waits or has left."""
    found = [day.house.newsroom.publish_next(timezone.now()).story.title for _ in range(count)]
    told = (
        "SELECT count(*) FROM dateline_post p JOIN dateline_article a ON a.id = p.article_id WHERE a.headline = ANY(%s)"
    )
    day.house.until(lambda: day.house.one(told, found) == count, 40, "a post of each story")
    return found


def posted(house: House, headline: str) -> bool:
    return any(headline in post.text for post in house.network.posts)
