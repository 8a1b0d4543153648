"""What a dead writer's journal proves, and when it proves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels.base import Outcome, Receipt
from pipeline.delivery.batches import journal as journals
from pipeline.delivery.batches.journal import Journal, WriterLives, boot_id, machine, path_of

WRITER = """
import os, sys
from pathlib import Path
from pipeline.channels.base import Outcome, Receipt
from pipeline.delivery.batches.journal import Journal
journal = Journal(Path(sys.argv[1]))
for key in range(1, 4):
    journal.dot(key)
    if key < 3:
        journal.answer(Receipt(key=key, outcome=Outcome.ACCEPTED, code=250))
print("written", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return path_of(data_dir=tmp_path, batch_id=7, fence=2)


def receipt(key: int, outcome: Outcome = Outcome.ACCEPTED, text: str = "ok") -> Receipt:
    return Receipt(key=key, outcome=outcome, code=250, enhanced="2.0.0", text=text)


def test_a_journal_is_one_claims_own(tmp_path: Path, path: Path) -> None:
    assert path == tmp_path / "journal" / "7.2"
    assert path != path_of(data_dir=tmp_path, batch_id=7, fence=3)


def test_what_was_answered_what_was_dotted_and_what_never_left(path: Path) -> None:
    journal = Journal(path)
    for key in (1, 2, 3):
        journal.dot(key)
    journal.answer(receipt(1))
    journal.answer(receipt(3, Outcome.REFUSED, text="550 no\r\nsuch “user”"))
    journal.abandon()
    found = journals.testimony(path)
    assert found == journals.Testimony(
        trusted=True, answers={1: receipt(1), 3: receipt(3, Outcome.REFUSED, text="550 no\r\nsuch “user”")}, dotted={2}
    )


@given(
    st.lists(
        st.builds(
            Receipt, key=st.integers(1, 9), outcome=st.sampled_from(Outcome), code=st.integers(0, 599),
            enhanced=st.sampled_from(["", "4.2.2"]), text=st.text(max_size=200),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_any_answer_a_server_gives_is_read_back_as_it_was(receipts: list[Receipt]) -> None:
    with TemporaryDirectory() as place:
        path = Path(place) / "1.1"
        journal = Journal(path)
        for one in receipts:
            journal.dot(one.key)
            journal.answer(one)
        journal.abandon()
        found = journals.testimony(path)
    assert found.answers == {one.key: one for one in receipts}
    assert (found.dotted, found.trusted) == (set(), True)


def test_a_writer_killed_outright_leaves_a_true_account(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"written\n"
        with pytest.raises(WriterLives):
            journals.testimony(path)
        with pytest.raises(WriterLives):
            Journal(path)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    found = journals.testimony(path)
    assert (found.trusted, set(found.answers), found.dotted) == (True, {1, 2}, {3})


def test_a_line_the_kill_cut_off_says_nothing(path: Path) -> None:
    journal = Journal(path)
    journal.dot(1)
    journal.dot(22)
    journal.abandon()
    path.write_bytes(path.read_bytes()[:-2])
    assert journals.testimony(path) == journals.Testimony(trusted=True, dotted={1}), (
        "not delivery 2, which a cut number would name"
    )


@pytest.mark.parametrize("damage", [b'A [1, "acD 5\n', b"D x\n", b"A [1]\n", b'A [1, "lost", 0, "", ""]\n', b"A 5\n"])
def test_a_line_damaged_in_the_middle_leaves_no_trust_in_the_rest(path: Path, damage: bytes) -> None:
    """A full disk writes half a line; the next one is appended to it."""
    journal = Journal(path)
    journal.dot(1)
    journal.answer(receipt(1))
    journal.abandon()
    with path.open("ab") as file:
        file.write(damage + b"D 2\n")
    found = journals.testimony(path)
    assert not found.trusted
    assert (set(found.answers), found.dotted) == ({1}, {2}), "what can be read still counts as an answer"


def test_a_journal_of_another_boot_is_not_trusted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)
    journal.dot(1)
    journal.abandon()
    monkeypatch.setattr(journals, "boot_id", lambda: "another boot")
    assert not journals.testimony(path).trusted
    assert not journals.testimony(path.with_name("never was")).trusted


def test_a_system_that_does_not_name_its_boot_is_never_trusted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "BOOT_ID", path.with_name("nothing here"))
    journal = Journal(path)
    journal.dot(1)
    journal.abandon()
    assert boot_id() == ""
    assert machine() != ""
    assert not journals.testimony(path).trusted


def test_a_journal_left_before_its_claim_was_won_is_begun_anew(path: Path) -> None:
    first = Journal(path)
    first.dot(1)
    first.abandon()
    second = Journal(path)
    second.dot(2)
    second.abandon()
    assert journals.testimony(path).dotted == {2}


def test_a_discarded_journal_is_gone_and_holds_nobody_up(path: Path) -> None:
    Journal(path).discard()
    assert not path.exists()
    assert not journals.testimony(path).trusted, "a missing file was lost, not finished with"
    Journal(path).discard()


def test_a_journal_says_who_may_read_it(path: Path) -> None:
    journal = Journal(path)
    assert path.stat().st_mode & 0o777 == 0o600
    journal.discard()
