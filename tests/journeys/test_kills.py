"""What is promised when things die: nobody lost, nobody doubled, the doubtful listed, nothing left running."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from django.utils import timezone

from tests.journeys.house import House

pytestmark = [pytest.mark.journey, pytest.mark.timeout(175)]
READERS = 2000
CONNECTIONS = 8


def begin_edition(house: House, readers: int) -> None:
    """Stories, readers and one edition on its way; the newsletter makes no second one."""
    file = house.data_dir / "readers.csv"
    file.write_text("email\n" + "".join(f"reader{n}@readers.example.org\n" for n in range(readers)))
    house.dateline(
        "create-newsletter",
        "Morning Brief",
        "--from",
        "brief@dispatch.example.org",
        "--every",
        "12",
        "--approval",
        "rules",
    )
    house.dateline("import-subscribers", str(file), "--topic", "morning-brief")
    for _ in range(4):
        house.newsroom.publish_next(timezone.now())
    house.until(lambda: house.one("SELECT count(*) FROM dateline_send"), 45, "an edition on its way")
    house.rows("UPDATE dateline_newsletter SET state = 'paused' RETURNING id")
    house.rows(
        "UPDATE dateline_edition SET state = 'cancelled' WHERE state IN ('planned', 'collecting', 'ready') RETURNING id"
    )


def check_everyone(house: House, readers: int) -> tuple[Counter[str], list[str]]:
    """Every reader exactly one mail, but for those listed as in doubt; the mails, and the doubtful."""
    mails = Counter(mail.recipient for mail in house.inbox.mails())
    states = dict(house.rows("SELECT address, state FROM dateline_delivery"))
    doubtful = [address for address, state in states.items() if state == "unknown"]
    assert len(states) == readers
    assert set(states.values()) <= {"accepted", "unknown"}
    assert max(mails.values()) == 1, "nobody is mailed twice"
    assert set(states) - set(mails) <= set(doubtful), "whoever got nothing is listed as in doubt"
    return mails, doubtful


def test_a_send_worker_killed_half_way_loses_nobody_and_lists_the_doubtful(morning: House) -> None:
    house = morning
    time.sleep(1.2)
    begin_edition(house, READERS)
    house.until(lambda: house.inbox.total > READERS // 4, 30, "a quarter of the mails")
    victims = house.pids("sender@")
    assert victims
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    assert house.inbox.total < READERS, "the kill came half-way"
    house.until(lambda: house.one("SELECT state FROM dateline_send") == "submitted", 70, "the send's end")
    _, doubtful = check_everyone(house, READERS)
    assert len(doubtful) <= CONNECTIONS * 2, "only messages in flight on the two holders' connections"
    assert house.one("SELECT count(*) FROM dateline_edition WHERE state = 'sent'") == 1


def test_flushing_redis_between_stages_costs_time_and_nothing_else(morning: House) -> None:
    house = morning
    client = house.redis()
    time.sleep(1.2)
    client.flushall()
    begin_edition(house, 300)
    for _ in range(6):
        client.flushall()
        time.sleep(0.4)
    house.until(lambda: house.one("SELECT state FROM dateline_send") == "submitted", 60, "the send's end")
    _, doubtful = check_everyone(house, 300)
    assert doubtful == []
    client.flushall()
    house.until(lambda: len(house.network.posts) >= 4, 30, "the posts")
    assert len(house.network.posts) == 4


def test_a_click_survives_a_flush_before_it_was_drained(morning: House) -> None:
    from tests.journeys.test_source_to_ranking import follow, story_links

    house = morning
    time.sleep(1.2)
    begin_edition(house, 40)
    house.until(lambda: house.inbox.total >= 40, 40, "the mails")
    for pid in house.pids("beat"):
        os.kill(pid, signal.SIGSTOP)  # nothing is drained while we look
    time.sleep(1.5)
    before = house.one("SELECT count(*) FROM dateline_event WHERE kind = 'click'")
    for n, mail in enumerate(house.inbox.mails()[:30]):
        follow(next(iter(story_links(mail.raw))), as_reader=n)
    house.redis().flushall()
    for pid in house.pids("beat"):
        os.kill(pid, signal.SIGCONT)
    counted = "SELECT count(*) FROM dateline_event WHERE kind = 'click'"
    house.until(lambda: house.one(counted) - before >= 30, 60, "every click in the database")
    time.sleep(3)
    assert house.one(counted) - before == 30


def test_killing_the_whole_tree_leaves_nothing_and_the_next_start_works(house: House) -> None:
    house.start()
    house.dateline("watch", house.newsroom.url, "--every", "1")
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
    for pid in house.pids(""):
        os.kill(pid, signal.SIGKILL)
    house.up.wait()
    time.sleep(0.5)
    house.start()
    assert house.stop() == 0
    assert house.pids("") == []


def test_two_beats_send_no_edition_twice(morning: House) -> None:
    import subprocess
    import sys

    house = morning
    second = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "workers.app",
            "--quiet",
            "beat",
            "--schedule",
            str(house.data_dir / "beat2"),
        ],
        env={**house.environ, "C_FORCE_ROOT": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(1.2)
        begin_edition(house, 100)
        house.until(lambda: house.one("SELECT state FROM dateline_send") == "submitted", 40, "the send's end")
        time.sleep(2)
        _, doubtful = check_everyone(house, 100)
        assert doubtful == []
        assert house.one("SELECT count(*) FROM dateline_send") == 1
    finally:
        second.terminate()
        second.wait(20)
