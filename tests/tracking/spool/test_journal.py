from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engagement.records import encode, frame, unpack
from pipeline.tracking.spool.journal import Journal, Shelf

EVENT = encode(at_ms=1, kind="click", flags=2, origin=7, ordinal=1, link=1, user_agent=b"UA" * 20)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, segment_bytes=2000)


def write(journal: Journal, events: int) -> bool:
    """One frame of so many events, numbered on from the last."""
    first = journal.own.written + 1
    payload = frame([EVENT] * events, boot=journal.own.boot, first=first)
    return journal.append(payload, last=first + events - 1)


def counters(shelf: Shelf) -> list[int]:
    return [record.counter for payload, _ in shelf.payloads() for record in unpack(payload)]


def test_what_was_written_is_read_back_in_order(journal: Journal) -> None:
    assert all(write(journal, size) for size in (1, 5, 40, 2))
    assert counters(journal.own) == list(range(1, 49))
    assert journal.own.pending == 48


def test_what_is_committed_is_deleted_and_the_rest_kept(journal: Journal) -> None:
    for _ in range(30):
        write(journal, 10)
    files = len(list(journal.own.segments))
    assert files > 5
    journal.settle(journal.own, 150)
    assert 1 < len(journal.own.segments) < files
    kept = counters(journal.own)
    assert kept[-1] == 300
    assert set(range(151, 301)) <= set(kept)
    assert journal.size == sum(one.path.stat().st_size for one in journal.own.segments)


def test_nothing_is_left_when_all_is_committed_and_writing_goes_on(journal: Journal, tmp_path: Path) -> None:
    write(journal, 10)
    journal.settle(journal.own, 10)
    assert (journal.size, list(tmp_path.glob("*.log"))) == (0, [])
    assert write(journal, 2)
    assert counters(journal.own) == [11, 12]
    journal.settle(journal.own, 12)
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_a_mark_from_the_past_brings_nothing_back(journal: Journal) -> None:
    write(journal, 10)
    journal.settle(journal.own, 10)
    journal.settle(journal.own, 3)
    assert journal.own.pending == 0


def test_a_full_journal_refuses_and_takes_again_when_there_is_room(tmp_path: Path) -> None:
    journal = Journal(tmp_path, limit=1000, segment_bytes=400)
    written = 0
    while write(journal, 1):
        written += 1
    assert 5 < written < 15
    assert journal.size <= 1000
    assert journal.own.written == written
    journal.settle(journal.own, written - 1)
    assert write(journal, 1)


def test_a_full_disk_leaves_no_half_frame(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may take part of a write, or none of it."""
    whole = os.write
    write(journal, 3)
    monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[:20]))
    assert not write(journal, 3)

    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    assert not write(journal, 3)
    monkeypatch.undo()
    assert write(journal, 3)
    assert counters(journal.own) == list(range(1, 7))


def test_a_living_door_is_left_alone(journal: Journal, tmp_path: Path) -> None:
    write(journal, 3)
    second = Journal(tmp_path)
    assert second.adopt(now=0.0) == 0
    assert journal.adopt(now=0.0) == 0
    assert second.own.boot != journal.own.boot


def test_a_dead_doors_events_are_adopted_once_with_their_ids(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from pipeline.tracking.spool.journal import Journal;"
        "from pipeline.engagement.records import encode, frame;"
        "j = Journal(Path(sys.argv[1]), segment_bytes=300);"
        "e = encode(at_ms=1, kind='click', flags=2, origin=7, ordinal=1, link=1);"
        "[j.append(frame([e], boot=j.own.boot, first=n), last=n) for n in range(1, 31)];"
        "print(j.own.boot.hex(), flush=True); os.kill(os.getpid(), 9)"
    )
    dead = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    boot = bytes.fromhex(dead.stdout.strip())
    heir, other = Journal(tmp_path), Journal(tmp_path)
    assert (heir.adopt(now=5.0), other.adopt(now=5.0)) == (1, 0)
    (shelf,) = heir.adopted
    assert (shelf.boot, shelf.written, shelf.doubt, shelf.doubted_at) == (boot, 30, 30, 5.0)
    assert counters(shelf) == list(range(1, 31))
    heir.settle(shelf, 30)
    assert heir.adopted == []
    assert list(tmp_path.glob(f"{boot.hex()}*")) == []
    assert heir.size == 0


def test_a_torn_tail_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for _ in range(5):
        write(journal, 2)
    path = journal.own.segments[0].path
    journal.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 7)
    heir = Journal(tmp_path)
    heir.adopt(now=0.0)
    assert counters(heir.adopted[0]) == list(range(1, 9))
    assert heir.adopted[0].written == 8


def test_a_dead_door_that_saw_nothing_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    os.close(journal.own.lock)
    heir = Journal(tmp_path)
    assert heir.adopt(now=0.0) == 0
    assert [path.stem for path in tmp_path.iterdir()] == [heir.own.boot.hex()]


def test_a_frame_longer_than_a_read_is_found(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, 1)
    write(journal, 20_000)
    write(journal, 1)
    assert counters(journal.own) == list(range(1, 20_003))


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(["write", "settle"]), st.integers(1, 30)), max_size=40))
def test_nothing_uncommitted_is_ever_missing(
    steps: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    journal = Journal(tmp_path_factory.mktemp("spool"), segment_bytes=1500)
    for step, number in steps:
        if step == "write":
            write(journal, number)
        else:
            journal.settle(journal.own, min(journal.own.written, journal.own.committed + number))
        own = journal.own
        assert set(range(own.committed + 1, own.written + 1)) <= set(counters(own))
        assert journal.size == sum(segment.path.stat().st_size for segment in own.segments)
    journal.close()


def test_doubt_is_as_old_as_its_first_cause_and_ends_with_a_commit() -> None:
    shelf = Shelf(b"bootid", -1, written=100)
    shelf.raise_doubt(10, now=1.0)
    shelf.raise_doubt(20, now=2.0)
    assert (shelf.doubt, shelf.doubted_at) == (20, 1.0)
    shelf.settle(20)
    shelf.raise_doubt(15, now=3.0)
    assert (shelf.doubt, shelf.doubted_at) == (20, 1.0)
    shelf.raise_doubt(30, now=4.0)
    assert (shelf.doubt, shelf.doubted_at) == (30, 4.0)


def test_a_doubt_raised_while_posting_again_stays() -> None:
    shelf = Shelf(b"bootid", -1, written=100)
    shelf.raise_doubt(10, now=1.0)
    shelf.raise_doubt(12, now=2.0)
    shelf.allay(10, now=5.0)
    assert (shelf.doubt, shelf.doubted_at) == (12, 5.0)
    shelf.allay(12, now=6.0)
    assert shelf.doubt == 0


def test_markers_stay_few_and_in_order() -> None:
    shelf = Shelf(b"bootid", -1, written=10**6)
    for counter in range(10, 50_000, 10):
        shelf.mark(counter, b"%d-0" % counter)
    shelf.mark(5, b"late")
    assert len(shelf.posted) <= 1025
    assert sorted(shelf.posted) == list(shelf.posted)
    assert shelf.posted[0] == (5, b"late")
