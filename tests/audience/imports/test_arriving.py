"""Files handed in at the desk: entered in slices, gone on with, and gone afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from pipeline.audience.imports import arriving, enter, tables
from pipeline.audience.imports.sheets import Unreadable
from pipeline.audience.models import Import, Subscriber
from pipeline.staff.models import JournalEntry, Role, User
from tests.factories import audience, staff
from tests.factories.workbooks import workbook

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


@pytest.fixture
def root() -> User:
    return staff.user(email="root@example.org", role=Role.ADMIN)


@pytest.fixture(autouse=True)
def three_rows_a_chunk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(enter, "CHUNK", 3)
    yield
    arriving.forget(now=datetime(2100, 1, 1, tzinfo=UTC))


def received(text: str, root: User, *, name: str = "list.csv", rehearse: bool = False) -> Import:
    portions = [text.encode()[:7], text.encode()[7:]]
    return arriving.receive(
        portions=portions, name=name, topic=audience.topic(), rehearse=rehearse, actor=root, now=NOW
    )


def many(count: int) -> str:
    return "email\n" + "".join(f"r{n}@example.org\n" for n in range(count)) + "nobody\n"


def test_a_file_is_entered_slice_by_slice_and_then_gone(root: User) -> None:
    row = received(many(8), root)
    assert (row.state, row.rows, arriving.is_here(row)) == ("waiting", 10, True)
    seen = []
    for _ in range(9):
        arriving.enter_some(now=NOW, slice_s=0)
        row.refresh_from_db()
        seen.append((row.state, row.added))
        if row.state == "done":
            break
    assert seen == [("waiting", 3), ("waiting", 6), ("done", 8)]
    assert (row.refused, Subscriber.objects.count(), arriving.is_here(row)) == (1, 8, False)
    assert JournalEntry.objects.get().verb == "import"


def test_a_rehearsal_enters_nobody_and_its_file_waits_for_a_yes(root: User) -> None:
    row = received(many(8), root, rehearse=True)
    arriving.enter_some(now=NOW)
    row.refresh_from_db()
    assert (row.state, row.added, Subscriber.objects.count()) == ("done", 8, 0)
    real = arriving.enter_after_all(import_id=row.id, actor=root, now=NOW)
    assert real is not None
    arriving.enter_some(now=NOW)
    real.refresh_from_db()
    assert (real.state, real.added, Subscriber.objects.count()) == ("done", 8, 8)
    assert arriving.enter_after_all(import_id=row.id, actor=root, now=NOW) is None, "the file is gone"


def test_what_was_stopped_goes_on_where_it_stopped(root: User) -> None:
    row = received(many(8), root)
    arriving.enter_some(now=NOW, slice_s=0)
    assert arriving.stop(import_id=row.id, actor=root, now=NOW) is True
    arriving.enter_some(now=NOW)
    row.refresh_from_db()
    assert (row.state, row.added) == ("stopped", 3)
    assert arriving.go_on(import_id=row.id, actor=root, now=NOW) is True
    arriving.enter_some(now=NOW)
    row.refresh_from_db()
    assert (row.state, row.added, row.known) == ("done", 8, 0)
    assert arriving.stop(import_id=row.id, actor=root, now=NOW) is False


def test_the_same_file_again_is_gone_through_again_and_enters_nobody(root: User) -> None:
    for counted in ((4, 0), (0, 4)):
        row = received(many(4), root)
        arriving.enter_some(now=NOW)
        row.refresh_from_db()
        assert (row.state, row.added, row.known) == ("done", *counted)
    assert Import.objects.count() == 1


def test_a_file_that_holds_no_addresses_is_refused_at_once(root: User) -> None:
    with pytest.raises(Unreadable, match="no column named email"):
        received("colour,size\nred,3\n", root)
    assert (Import.objects.count(), list(arriving._folder().iterdir())) == (0, [])


def test_a_file_that_is_too_large_is_refused(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "LARGEST", 20)
    with pytest.raises(arriving.TooLarge):
        received(many(8), root)
    assert list(arriving._folder().iterdir()) == []


def test_a_workbook_has_no_lines_to_count_and_is_entered(root: User, tmp_path: object) -> None:
    content = workbook([["email"], ["a@example.org"]])
    row = arriving.receive(
        portions=[content], name="list.xlsx", topic=audience.topic(), rehearse=False, actor=root, now=NOW
    )
    assert row.rows is None
    arriving.enter_some(now=NOW)
    assert Subscriber.objects.get().address == "a@example.org"


def test_a_file_that_breaks_off_is_told_as_failed_with_what_came_before_kept(root: User) -> None:
    row = received('email\na@example.org\nb@example.org\n"c@example.org' + "x" * 200_000, root)
    arriving.enter_some(now=NOW)
    row.refresh_from_db()
    assert (row.state, row.added) == ("failed", 2)
    assert "line 4" in row.error


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b/c d.csv", "..", ".hidden.csv", "x" * 300 + ".csv"])
def test_a_name_leads_nowhere_else(root: User, name: str) -> None:
    row = received(many(1), root, name=name)
    assert arriving._file_of(row).parent.parent == arriving._folder()
    assert arriving.is_here(row)


def test_files_nobody_went_on_with_are_forgotten(root: User) -> None:
    row = received(many(1), root)
    long_ago = (NOW - arriving.KEPT).timestamp() - 60
    os.utime(arriving._file_of(row).parent, (long_ago, long_ago))
    assert arriving.forget(now=NOW) == 1
    assert arriving.is_here(row) is False


def test_another_worker_takes_nothing_back_of_a_file_that_is_being_gone_through(root: User) -> None:
    row = received(many(8), root, rehearse=True)
    Import.objects.update(state="running", position=5, added=3, refused=1)
    row.faults.create(row=5, given="nobody", code="address")
    known = {k: v for k, v in connection.get_connection_params().items() if k in {"dbname", "user", "host", "port"}}
    with psycopg.connect(**known) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('dateline.import'), %s)", [row.id])
        arriving.enter_some(now=NOW)
    row.refresh_from_db()
    assert (row.state, row.position, row.added, row.refused, row.faults.count()) == ("running", 5, 3, 1, 1)


@pytest.mark.parametrize("state", ["stopped", "done"])
def test_what_is_stopped_or_done_while_a_worker_looks_at_its_file_stays_so(
    root: User, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    row, scan = received(many(8), root), tables.scan

    def slow(file: Path) -> tables.Scan:
        Import.objects.update(state=state, added=3)
        return scan(file)

    monkeypatch.setattr(tables, "scan", slow)
    arriving.enter_some(now=NOW)
    row.refresh_from_db()
    assert (row.state, row.added, Subscriber.objects.count()) == (state, 3, 0)
