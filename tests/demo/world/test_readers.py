from __future__ import annotations

import smtplib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from pipeline.demo.world.inbox import Inbox
from pipeline.demo.world.newsroom import Newsroom
from pipeline.demo.world.readers import Readers
from pipeline.demo.world.serving import HOST, Answer, LocalServer, Request, redirect

NOW = datetime(2026, 4, 19, 8, 0, tzinfo=UTC)
READERS = 120


class Door:
    """A tracking door of four lines: /c/<n> leads to story n, /o/ is a pixel, all requests are remembered."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom, self.asked = newsroom, list[Request]()
        self.server = LocalServer(answer=self.answer, name="door")

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        if request.path.startswith("/c/"):
            return redirect(self.newsroom.url + self.newsroom.published[int(request.path[3:])].path)
        if request.path.startswith("/away/"):
            return redirect("http://elsewhere.invalid/story/")
        return Answer(b"GIF89a", kind="image/gif")


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    site = Newsroom(archive=8, clock=lambda: NOW)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def door(newsroom: Newsroom) -> Iterator[Door]:
    door = Door(newsroom)
    door.server.start()
    yield door
    door.server.stop()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box = Inbox()
    box.start()
    yield box
    box.stop()


def digest(door: Door, *, at: str = "c") -> bytes:
    base, message = door.server.url, EmailMessage()
    message["Subject"], message["From"] = "The morning letter", "desk@dispatch.example"
    message["List-Unsubscribe"] = f"<{base}/u/header>"
    links = "".join(
        f'<p><a href="{base}/{at}/{n}">{release.story.title}</a></p>'
        for n, release in enumerate(door.newsroom.published)
    )
    tail = f'<a href="{base}/u/leave">Unsubscribe</a><img src="{base}/o/px" width="1" height="1" alt="">'
    message.set_content("Stories.")
    message.add_alternative(f"<html><body>{links}{tail}</body></html>", subtype="html")
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def deliver(inbox: Inbox, raw: bytes, *, readers: int = READERS) -> None:
    with smtplib.SMTP(HOST, inbox.smtp_port) as smtp:
        for n in range(readers):
            smtp.sendmail("b@dispatch.example", [f"reader{n}@example.org"], raw)


def test_readers_open_click_and_scan_what_arrives(inbox: Inbox, door: Door) -> None:
    readers = Readers(inbox=inbox, seed=1, scale=0.01, newsroom_url=door.newsroom.url)
    readers.start()
    deliver(inbox, digest(door))
    assert readers.settle(timeout_s=30)
    readers.stop()
    counts = readers.counts
    assert counts.opened > 30 and counts.clicked > 20 and counts.scanned > 40 and counts.proxied > 15
    assert counts.failed == counts.strayed == 0
    assert counts.by_article.total() == counts.clicked
    assert set(counts.by_article) <= {release.path for release in door.newsroom.published}
    assert counts.opened + counts.clicked + counts.scanned + counts.proxied == len(door.asked)


def test_only_addresses_of_the_mail_are_asked_for_and_never_by_post(inbox: Inbox, door: Door) -> None:
    readers = Readers(inbox=inbox, seed=1, scale=0)
    readers.start()
    deliver(inbox, digest(door))
    assert readers.settle(timeout_s=30)
    readers.stop()
    allowed = {f"/c/{n}" for n in range(8)} | {"/o/px", "/u/leave", "/u/header"}
    assert {request.path for request in door.asked} <= allowed
    assert {request.method for request in door.asked} == {"GET"}  # HEAD is answered as GET without a body
    left = [request for request in door.asked if request.path.startswith("/u/")]
    assert left and all(request.headers["x-forwarded-for"].startswith("40.107.") for request in left)


def test_counts_match_what_the_door_saw_story_by_story(inbox: Inbox, door: Door) -> None:
    readers = Readers(inbox=inbox, seed=2, scale=0)
    readers.start()
    deliver(inbox, digest(door), readers=60)
    assert readers.settle(timeout_s=30)
    readers.stop()
    for n, release in enumerate(door.newsroom.published):
        by_people = [
            request
            for request in door.asked
            if request.path == f"/c/{n}" and request.headers["x-forwarded-for"].startswith("198.1")
        ]
        assert readers.counts.by_article[release.path] == len(by_people)


def test_a_redirect_that_leaves_the_newsroom_is_counted_as_strayed_and_not_followed(inbox: Inbox, door: Door) -> None:
    readers = Readers(inbox=inbox, seed=1, clicking=1, scale=0, newsroom_url=door.newsroom.url, visiting=True)
    readers.start()
    deliver(inbox, digest(door, at="away"), readers=20)
    assert readers.settle(timeout_s=30)
    readers.stop()
    assert readers.counts.strayed == readers.counts.clicked > 0
    assert not readers.counts.by_article
    assert readers.counts.failed == 0


def test_a_door_that_is_closed_is_counted_and_nobody_hangs(inbox: Inbox, door: Door) -> None:
    raw = digest(door)
    door.server.stop()
    readers = Readers(inbox=inbox, seed=1, scale=0)
    readers.start()
    deliver(inbox, raw, readers=20)
    assert readers.settle(timeout_s=30)
    readers.stop()
    assert readers.counts.failed > 0
    assert readers.counts.clicked == readers.counts.opened == 0


def test_readers_stop_while_people_are_still_waiting(inbox: Inbox, door: Door) -> None:
    before = set(threading.enumerate())
    readers = Readers(inbox=inbox, seed=1, scale=1000)
    readers.start()
    deliver(inbox, digest(door), readers=20)
    assert not readers.settle(timeout_s=0.5)
    readers.stop()
    # The door's own connection threads end with their clients; what matters is that no reader is left.
    left = {thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()}
    assert not [name for name in left if name.startswith("reader")]
