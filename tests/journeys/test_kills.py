"""What is promised when things die: nobody lost, nobody doubled, the doubtful listed, nothing left running.

One house for all; each flow has a newsletter and readers of its own, and the last one brings the house down.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone

from tests.journeys.house import House, built

pytestmark = [pytest.mark.journey, pytest.mark.timeout(175)]
READERS = 2000
CONNECTIONS = 8
OF_ITS_OWN = "FROM dateline_edition e JOIN dateline_newsletter n ON n.id = e.newsletter_id WHERE n.slug = %s"


@pytest.fixture(scope="module")
def opened() -> Iterator[House]:
    with built() as made:
        made.open()
        time.sleep(1.2)  # what is published in the second of the first look would be of before it
        yield made


@dataclass(frozen=True)
class Under:
    """An edition on its way to readers of its own."""

    house: House
    slug: str
    readers: int
    headlines: list[str]

    @property
    def sends(self) -> list[tuple[int, str]]:
        query = (
            f"SELECT s.id, s.state {OF_ITS_OWN.replace('WHERE', 'JOIN dateline_send s ON s.edition_id = e.id WHERE')}"
        )
        return [(int(number), str(state)) for number, state in self.house.rows(query, self.slug)]

    @property
    def arrived(self) -> Counter[str]:
        """How often each reader was mailed."""
        found = (mail.recipient for mail in self.house.inbox.mails())
        return Counter(recipient for recipient in found if recipient.startswith(self.slug))

    @property
    def ended(self) -> bool:
        return [state for _, state in self.sends] == ["submitted"]

    def posted(self) -> list[int]:
        """How often each of its stories was."""
        posts = [post.text for post in self.house.network.posts]
        return [sum(headline[:40] in text for text in posts) for headline in self.headlines]


def begin_edition(house: House, slug: str, readers: int) -> Under:
    """Stories, readers and one edition on its way; the newsletter makes none before its readers are there, nor a second."""
    file = house.data_dir / f"{slug}.csv"
    file.write_text("email\n" + "".join(f"{slug}{n}@readers.example.org\n" for n in range(readers)))
    sender = f"{slug}@dispatch.example.org"
    house.dateline("create-newsletter", slug.title(), "--from", sender, "--every", "12", "--approval", "rules")
    turn(house, slug, "paused")
    house.dateline("import-subscribers", str(file), "--topic", slug)
    turn(house, slug, "active")
    told = [house.newsroom.publish_next(timezone.now()).story.title for _ in range(4)]
    under = Under(house, slug, readers, told)
    house.until(lambda: under.sends, 45, "an edition on its way")
    turn(house, slug, "paused")
    house.rows(
        """UPDATE dateline_edition e SET state = 'cancelled' FROM dateline_newsletter n WHERE n.id = e.newsletter_id
            AND n.slug = %s AND e.state IN ('planned', 'collecting', 'ready') RETURNING e.id""",
        slug,
    )
    return under


def turn(house: House, slug: str, state: str) -> None:
    house.rows("UPDATE dateline_newsletter SET state = %s WHERE slug = %s RETURNING id", state, slug)


def check_everyone(under: Under) -> list[str]:
    """Every reader exactly one mail, but for those listed as in doubt; the doubtful."""
    [(send, _)] = under.sends
    mails = under.arrived
    states = dict(under.house.rows("SELECT address, state FROM dateline_delivery WHERE send_id = %s", send))
    doubtful = [address for address, state in states.items() if state == "unknown"]
    assert len(states) == under.readers
    assert set(states.values()) <= {"accepted", "unknown"}
    assert max(mails.values()) == 1, "nobody is mailed twice"
    assert set(states) - set(mails) <= set(doubtful), "whoever got nothing is listed as in doubt"
    assert under.house.one(f"SELECT count(*) {OF_ITS_OWN} AND e.state = 'sent'", under.slug) == 1
    return doubtful


@contextmanager
def second_beat(house: House) -> Iterator[None]:
    """Another scheduler that believes that it is the only one."""
    beat = [sys.executable, "-m", "celery", "-A", "workers.app", "--quiet", "beat"]
    environ = {**house.environ, "C_FORCE_ROOT": "1"}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    second = subprocess.Popen([*beat, "--schedule", str(house.data_dir / "beat2")], env=environ, **silent)
    try:
        yield
        assert second.poll() is None, "it was there to the end"
    finally:
        second.terminate()
        second.wait(20)


def test_a_send_worker_killed_half_way_loses_nobody_and_lists_the_doubtful(opened: House) -> None:
    house = opened
    under = begin_edition(house, "killed", READERS)
    house.until(lambda: house.inbox.total > READERS // 4, 30, "a quarter of the mails")
    victims = house.pids("sender@")
    assert victims
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    assert house.inbox.total < READERS, "the kill came half-way"
    house.until(lambda: under.ended, 70, "the send's end")
    doubtful = check_everyone(under)
    assert len(doubtful) <= CONNECTIONS * 2, "only messages in flight on the two holders' connections"


def test_two_beats_and_flushes_between_stages_send_and_post_nothing_twice_and_lose_nothing(opened: House) -> None:
    house, client = opened, opened.redis()
    with second_beat(house):
        client.flushall()
        under = begin_edition(house, "flushed", 300)
        for _ in range(6):
            client.flushall()
            time.sleep(0.4)
        house.until(lambda: under.ended, 60, "the send's end")
        client.flushall()
        house.until(lambda: all(under.posted()), 30, "the posts")
        time.sleep(2)
        assert check_everyone(under) == []
    assert under.posted() == [1, 1, 1, 1]


def test_a_click_survives_a_flush_before_it_was_drained(opened: House) -> None:
    from tests.journeys.test_source_to_ranking import follow, story_links

    house = opened
    under = begin_edition(house, "clicked", 40)
    house.until(lambda: len(under.arrived) >= 40, 40, "the mails")
    for pid in house.pids("beat"):
        os.kill(pid, signal.SIGSTOP)  # nothing is drained while we look
    time.sleep(1.5)
    before = house.one("SELECT count(*) FROM dateline_event WHERE kind = 'click'")
    mails = [mail for mail in house.inbox.mails() if mail.recipient.startswith(under.slug)]
    for n, mail in enumerate(mails[:30]):
        follow(next(iter(story_links(mail.raw))), as_reader=n)
    house.redis().flushall()
    for pid in house.pids("beat"):
        os.kill(pid, signal.SIGCONT)
    counted = "SELECT count(*) FROM dateline_event WHERE kind = 'click'"
    house.until(lambda: house.one(counted) - before >= 30, 60, "every click in the database")
    time.sleep(3)
    assert house.one(counted) - before == 30


def kill_all(house: House) -> list[int]:
    """Whoever is there dies; who they were. One that was just being born is there at the next look."""
    found = house.pids("")
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found


def test_killing_the_whole_tree_leaves_nothing_and_the_next_start_works(opened: House) -> None:
    house = opened
    assert house.up is not None
    everything = house.pids("")
    os.kill(house.up.pid, signal.SIGKILL)
    house.up.wait()
    try:
        house.until(
            lambda: not set(everything) & set(house.pids("")), 30, "every process gone after its owner's kill -9"
        )
    except AssertionError as error:
        lives = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ") for pid in house.pids("")]
        raise AssertionError(f"{error}\nstill there: {lives}") from error
    house.start()
    house.until(lambda: house.one("SELECT count(*) FROM dateline_article") >= 10, 20, "the rows of before")
    house.until(lambda: not kill_all(house), 10, "nobody left to kill")
    house.up.wait()
    house.start()
    assert house.stop() == 0
    assert house.pids("") == []
