"""The twelve acceptance cases of the watching reference, section 7, each told once: to a recorder, and to a watcher.

A case publishes, edits and takes back at a paper, and says when it is looked at. What must come of it is written
beside it: how many stories are announced and held, and what a case asks beyond that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tests.factories.paper import Paper, days_old


class Desk(Protocol):
    """Somebody who looks at a paper by its feed, its REST interface, or both."""

    paper: Paper
    now: datetime

    def wait(self, *, minutes: float) -> None:
        """Time passes, and what falls due in it is done."""

    def look(self, *ways: str) -> None:
        """A look by these ways (feed, rest), as it falls due."""

    def look_anew(self, *ways: str) -> None:
        """A look without validators."""


@dataclass(frozen=True)
class Case:
    """`expects` is how many stories are announced, held and ignored, by reason."""

    name: str
    tells: str
    play: Callable[[Desk], None]
    expects: dict[str, int]


def begin(desk: Desk, *ways: str, stories: int = 22) -> None:
    """A paper with a past, looked at twice: telling starts after the second look."""
    for n in range(stories):
        desk.paper.publish(at=days_old(2 + (stories - n) / 4))
    desk.look(*ways)
    desk.wait(minutes=2)
    desk.look(*ways)
    desk.wait(minutes=2)


def imports(desk: Desk) -> None:
    begin(desk, "feed", "rest")
    for n in range(500):
        desk.paper.publish(at=days_old(400 + n / 2))
    for _ in range(3):
        desk.look("feed")
        desk.wait(minutes=15)
    desk.look("feed", "rest")
    desk.wait(minutes=10)


def guid_to_https(desk: Desk) -> None:
    begin(desk, "feed")
    for story in desk.paper.stories:
        story.guid = story.guid.replace("http:", "https:")
    desk.look("feed")  # still 304: no post was modified
    desk.wait(minutes=5)
    desk.paper.publish(at=desk.now)
    for _ in range(3):
        desk.look("feed")
        desk.wait(minutes=2)


def bulk_edit(desk: Desk) -> None:
    begin(desk, "feed", "rest", stories=19)
    for _ in range(2):
        desk.paper.publish(at=desk.now)
        desk.look("feed", "rest")
        desk.wait(minutes=10)
    for story in desk.paper.stories:
        story.modified = desk.now
    for _ in range(3):
        desk.look("feed", "rest")
        desk.wait(minutes=5)


def created_again(desk: Desk) -> None:
    begin(desk, "feed", "rest")
    desk.paper.publish(500, at=desk.now)
    for _ in range(2):
        desk.look("feed", "rest")
        desk.wait(minutes=10)


def same_second(desk: Desk) -> None:
    begin(desk, "feed")
    at = desk.now
    desk.paper.publish(at=at)
    desk.look("feed")
    desk.wait(minutes=2)
    desk.paper.publish(at=at)
    for _ in range(3):
        desk.look("feed")
        desk.wait(minutes=2)
    desk.wait(minutes=100)
    desk.look_anew("feed")
    desk.wait(minutes=5)


def released_late(desk: Desk) -> None:
    begin(desk, "feed", "rest")
    scheduled = desk.now
    desk.wait(minutes=6)
    desk.paper.publish(at=desk.now)
    desk.look("feed", "rest")
    desk.wait(minutes=10)
    late = desk.paper.publish(at=scheduled)[0]
    late.id, late.guid = 42, f"{desk.paper.url}?p=42"  # a draft made long ago, edited before its hour
    for _ in range(3):
        desk.look("feed", "rest")
        desk.wait(minutes=5)


def created_under_its_slug(desk: Desk) -> None:
    begin(desk, "feed", "rest")
    story = desk.paper.publish(at=desk.now, slug="ferry-returns")[0]
    desk.look("feed", "rest")
    desk.wait(minutes=3)
    desk.paper.take_back(story)
    desk.look("feed", "rest")
    desk.wait(minutes=3)
    desk.paper.publish(at=desk.now, slug="ferry-returns", title=story.title, words=story.words)
    for _ in range(3):
        desk.look("feed", "rest")
        desk.wait(minutes=5)


def taken_back(desk: Desk) -> None:
    begin(desk, "feed", "rest")
    story = desk.paper.publish(at=desk.now)[0]
    desk.look("feed", "rest")
    desk.wait(minutes=0.5)
    desk.paper.take_back(story)
    for _ in range(3):
        desk.look("feed", "rest")
        desk.wait(minutes=5)


def thirty_pings(desk: Desk) -> None:
    begin(desk, "feed", "rest")
    desk.paper.publish(at=desk.now)
    for _ in range(30):
        desk.look_anew("feed")
        desk.wait(minutes=0.05)
    desk.wait(minutes=5)


def backdated(desk: Desk) -> None:
    begin(desk, "feed", "rest")
    desk.paper.publish(at=days_old(3))
    for _ in range(2):
        desk.look_anew("feed", "rest")
        desk.wait(minutes=5)


def block_page(desk: Desk) -> None:
    begin(desk, "feed", "rest")
    desk.paper.publish(at=desk.now)
    desk.look("feed", "rest")
    desk.wait(minutes=10)
    desk.paper.blocked = True
    for _ in range(12):
        desk.look("feed", "rest")
        desk.wait(minutes=5)
    desk.paper.blocked = False
    desk.look("feed", "rest")
    desk.wait(minutes=15)


def new_slug(desk: Desk) -> None:
    begin(desk, "feed", "rest")
    story = desk.paper.publish(at=desk.now, slug="ferry-retruns")[0]
    desk.look("feed", "rest")
    desk.wait(minutes=10)
    desk.paper.move(story, "ferry-returns", at=desk.now)
    for _ in range(3):
        desk.look("feed", "rest")
        desk.wait(minutes=5)


CASES = (
    Case("a-imports", "500 old-dated posts are imported: none is announced, all are found within the hour", imports, {"ignore first_look": 22, "ignore old": 500}),
    Case("b-guid-to-https", "every guid changes and one real story is published: exactly that one is announced", guid_to_https, {"ignore first_look": 10, "announce news": 1}),
    Case("c-bulk-edit", "21 posts, two of them announced, are edited in bulk: nothing more is announced", bulk_edit, {"ignore first_look": 19, "announce news": 2}),
    Case("d-created-again", "500 posts are made anew with today's date: none is announced, all are held", created_again, {"ignore first_look": 22, "hold burst": 500}),
    Case("e-same-second", "two posts of one second with a look between them: both are announced, once, within 2 h", same_second, {"ignore first_look": 10, "announce news": 2}),
    Case("f-released-late", "a scheduled story is released late, behind a newer one: it is announced once", released_late, {"ignore first_look": 22, "announce news": 2}),
    Case("g-created-under-its-slug", "a story is deleted and made anew under its slug: it is announced once", created_under_its_slug, {"ignore first_look": 22, "announce news": 1}),
    Case("h-taken-back", "a story is published and taken back within the minute: nothing is announced", taken_back, {"ignore first_look": 22, "ignore gone_before_told": 1}),
    Case("i-thirty-pings", "thirty pings tell of one story: it is announced once", thirty_pings, {"ignore first_look": 22, "announce news": 1}),
    Case("j-backdated", "a story is dated back by three days: it is old, and not announced", backdated, {"ignore first_look": 22, "ignore old": 1}),
    Case("k-block-page", "a block page stands before the site for an hour: nothing is gone, nothing is new", block_page, {"ignore first_look": 22, "announce news": 1}),
    Case("l-new-slug", "an announced story gets another slug: nothing is new, its link follows", new_slug, {"ignore first_look": 22, "announce news": 1}),
)  # fmt: skip
