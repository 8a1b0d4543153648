"""Files of readers into the database."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.audience import subscribe
from pipeline.audience.imports import enter, exports, tables
from pipeline.audience.imports.sheets import Unreadable
from pipeline.audience.imports.tables import Table
from pipeline.audience.models import Consent, Import, ImportFault, Subscriber, Subscription, Suppression, Topic
from pipeline.audience.suppress import suppress
from tests.factories import audience
from tests.factories.workbooks import workbook

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def brief() -> Topic:
    return audience.topic()


def _file(folder: Path, text: str, name: str = "readers.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _codes() -> dict[int, str]:
    return dict(ImportFault.objects.values_list("row", "code"))


def _counts(row: Import) -> tuple[int, int, int]:
    assert row.rows == row.added + row.known + row.refused
    return row.added, row.known, row.refused


def test_a_plain_list_is_entered_with_the_evidence_of_where_it_came_from(tmp_path: Path, brief: Topic) -> None:
    text = "Email;Name;Language;Time zone;Joined;Confirm IP\nCleo@Example.org;Cléo;FR-be;Europe/Brussels;2024-05-01 10:00;203.0.113.77\n"
    made_in = enter.enter(file=_file(tmp_path, text), topic=brief, now=NOW)
    reader, consent = Subscriber.objects.get(), Consent.objects.get()
    assert (made_in.state, made_in.layout, _counts(made_in)) == ("done", "csv", (1, 0, 0))
    assert (reader.address, reader.name, reader.language, reader.zone) == (
        "cleo@example.org",
        "Cléo",
        "fr-be",
        "Europe/Brussels",
    )
    assert reader.joined_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert (consent.act, consent.origin, consent.network) == ("imported", "readers.csv", "203.0.113.0")
    assert "2024-05-01 10:00" in consent.wording
    assert audience.reach(topic_id=brief.id) == 1


def test_the_same_file_again_enters_nobody_twice(tmp_path: Path, brief: Topic) -> None:
    file = _file(tmp_path, "email\na@example.org\nb@example.org\na@example.org\nnobody\n")
    first = _counts(enter.enter(file=file, topic=brief, now=NOW))
    second = _counts(enter.enter(file=file, topic=brief, now=NOW))
    assert (first, second) == ((2, 1, 1), (0, 3, 1))
    assert (Consent.objects.count(), ImportFault.objects.count(), Import.objects.count()) == (2, 1, 1)


def test_who_left_and_who_is_suppressed_stays_away_and_no_row_of_theirs_is_made(tmp_path: Path, brief: Topic) -> None:
    gone = audience.subscriber(address="gone@example.org", follows=brief)
    subscribe.leave(subscriber_id=gone.id, topic_id=brief.id, origin="one-click", now=NOW)
    suppress(address="bounced@example.org", reason=Suppression.Reason.BOUNCED, now=NOW)
    made_in = enter.enter(file=_file(tmp_path, "email\ngone@example.org\nBounced@example.org\n"), topic=brief, now=NOW)
    assert _counts(made_in) == (0, 0, 2)
    assert _codes() == {2: "left", 3: "suppressed"}
    assert not Subscriber.objects.filter(address="bounced@example.org").exists()
    assert set(ImportFault.objects.values_list("given", flat=True)) == {""}, "an erased address must not come back here"


def test_rows_of_people_who_left_elsewhere_make_no_readers(tmp_path: Path, brief: Topic) -> None:
    text = "uuid,email,name,attributes,status\n1,a@example.org,A,{},enabled\n2,b@example.org,B,{},blocklisted\n3,c@example.org,C,{},unsubscribed\n4,d@example.org,D,{},gold\n"
    made_in = enter.enter(file=_file(tmp_path, text), topic=brief, now=NOW)
    assert (made_in.layout, _counts(made_in)) == ("listmonk", (1, 0, 3))
    assert _codes() == {3: "blocked", 4: "leaves", 5: "unknown_status"}
    assert audience.reach(topic_id=brief.id) == 1
    assert Suppression.objects.get().address_hash == subscribe.hash_of("b@example.org")
    assert Subscription.objects.get(subscriber__address="c@example.org").left_at == NOW


@pytest.mark.parametrize("order", [("active", "unsubscribed"), ("unsubscribed", "active")])
def test_an_address_that_left_further_up_or_down_in_the_list_has_left(
    order: tuple[str, str], tmp_path: Path, brief: Topic
) -> None:
    text = "email,status\n" + "".join(f"a@example.org,{status}\n" for status in order)
    enter.enter(file=_file(tmp_path, text), topic=brief, now=NOW)
    assert audience.reach(topic_id=brief.id) == 0


def test_an_old_list_does_not_take_away_what_a_reader_confirmed_here(tmp_path: Path, brief: Topic) -> None:
    reader = subscribe.ask(address="cleo@example.org", topic=brief, origin="form", now=NOW)
    subscribe.confirm(subscriber_id=reader.id, topic_id=brief.id, origin="mail", now=NOW)
    enter.enter(file=_file(tmp_path, "email,status\ncleo@example.org,unsubscribed\n"), topic=brief, now=NOW)
    enter.enter(file=_file(tmp_path, "email,status\ncleo@example.org,bounced\n"), topic=brief, now=NOW)
    assert audience.reach(topic_id=brief.id) == 1
    assert list(ImportFault.objects.values_list("code", flat=True)) == ["stays", "stays"]


@pytest.mark.parametrize(
    ("name", "header", "row", "code"),
    [
        ("unsubscribed_list.csv", "Email Address,First Name,UNSUB_TIME,LEID", "a@example.org,A,2024-01-01,1", "leaves"),
        ("cleaned_list.csv", "Email Address,CLEAN_TIME,LEID", "a@example.org,2024-01-01,1", "bounced"),
        ("nonsubscribed_list.csv", "Email Address,LEID", "a@example.org,1", "unconfirmed"),
        ("members.csv", "id,email,name,note,subscribed_to_emails,deleted_at", "1,a@example.org,A,,false,", "leaves"),
        ("members.csv", "id,email,name,subscribed_to_emails,deleted_at", "1,a@example.org,A,true,2024-01-01", "leaves"),
        ("mailpoet.csv", "Email,Global Status,List Status", "a@example.org,Subscribed,Unsubscribed", "leaves"),
        ("mailpoet.csv", "Email,Global Status,List Status", "a@example.org,Bounced,Subscribed", "bounced"),
        ("mailpoet.csv", "Email,Global Status", "a@example.org,Unconfirmed", "unconfirmed"),
    ],
)
def test_what_other_systems_call_gone_is_gone(
    name: str, header: str, row: str, code: str, tmp_path: Path, brief: Topic
) -> None:
    made_in = enter.enter(file=_file(tmp_path, f"{header}\n{row}\n", name), topic=brief, now=NOW)
    assert (made_in.layout in {"mailchimp", "ghost", "mailpoet"}, _codes()) == (True, {2: code})
    assert audience.reach(topic_id=brief.id) == 0
    assert exports.why(ImportFault.objects.get())


def test_a_spreadsheet_says_what_its_csv_says(tmp_path: Path, brief: Topic) -> None:
    file = tmp_path / "readers.xlsx"
    file.write_bytes(
        workbook(
            [["E-mail", "First name", "Last name"], ["a@example.org", "Ada", "L"], ["nobody"], [], ["b@example.org"]]
        )
    )
    made_in = enter.enter(file=file, topic=brief, now=NOW)
    assert (made_in.layout, _counts(made_in), _codes()) == ("xlsx", (2, 0, 1), {3: "not_an_address"})
    assert Subscriber.objects.get(address="a@example.org").name == "Ada L"


def _plain(readers: int) -> str:
    return "email\n" + "".join(f"reader-{n}@example.org\n" for n in range(readers))


def test_a_start_cut_off_at_any_row_goes_on_without_loss_or_double(
    tmp_path: Path, brief: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enter, "CHUNK", 7)
    file, whole = _file(tmp_path, _plain(60)), tables.opened
    for cut in (3, 20, 21, 50):
        monkeypatch.setattr(
            tables, "opened", lambda path, *, encoding, cut=cut: _cut(whole(path, encoding=encoding), cut)
        )
        with pytest.raises(SystemError):
            enter.enter(file=file, topic=brief, now=NOW)
        assert Import.objects.get().position == Import.objects.get().added + (1 if Import.objects.get().added else 0)
    monkeypatch.setattr(tables, "opened", whole)
    assert _counts(enter.enter(file=file, topic=brief, now=NOW)) == (60, 0, 0)
    assert (Subscriber.objects.count(), Subscription.objects.count(), Consent.objects.count()) == (60, 60, 60)


class _cut:  # noqa: N801 - stands where the context manager does
    """The table of a file whose reading dies after so many rows."""

    def __init__(self, inner, rows: int) -> None:  # type: ignore[no-untyped-def]
        self._inner, self._rows = inner, rows

    def __enter__(self) -> Table:
        table: Table = self._inner.__enter__()
        return Table(kind=table.kind, rows=self._dying(table.rows), done=table.done, size=table.size)

    def __exit__(self, *error: object) -> None:
        self._inner.__exit__(*error)

    def _dying(self, rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
        yield from islice(rows, self._rows)
        raise SystemError


def test_a_quotation_mark_without_end_stops_with_its_line_and_keeps_what_came_before(
    tmp_path: Path, brief: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enter, "CHUNK", 1)
    file = _file(tmp_path, 'email\na@example.org\nb@example.org\n"c@example.org\n' + "x" * 200_000)
    with pytest.raises(Unreadable, match="line 4"):
        enter.enter(file=file, topic=brief, now=NOW)
    assert (Import.objects.get().state, Import.objects.get().added) == ("failed", 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_the_encodings_spreadsheets_write_are_read(encoding: str, tmp_path: Path, brief: Topic) -> None:
    file = tmp_path / "readers.tsv"
    file.write_bytes("email\tname\ncleo@example.org\tCléo Müller\n".encode(encoding))
    made_in = enter.enter(file=file, topic=brief, now=NOW)
    assert (made_in.layout, Subscriber.objects.get().name) == ("tsv", "Cléo Müller")


_STATUSES = ["", "subscribed", "unsubscribed", "bounced", "complained", "blocked", "pending", "what"]
_LIST = st.lists(st.tuples(st.sampled_from(["a", "b", "c", "not one", ""]), st.sampled_from(_STATUSES)), max_size=12)


@given(rows=_LIST, chunk=st.integers(1, 4), seed=st.integers(0, 3))
@example(rows=[("b", ""), ("b", "bounced"), ("b", "unsubscribed")], chunk=1, seed=0)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_rehearsal_changes_nothing_and_says_what_the_import_then_does(
    rows: list[tuple[str, str]], chunk: int, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enter, "CHUNK", chunk)
    topic = Topic.objects.create(slug=f"t{Topic.objects.count()}", name="T")
    file = _file(
        tmp_path,
        "email,status\n"
        + "".join(f"{who + '@example.org' if who in 'abc' and who else who},{what}\n" for who, what in rows),
    )
    Subscriber.objects.all().delete()
    Suppression.objects.all().delete()
    if random.Random(seed).random() > 0.5:
        audience.subscriber(address="a@example.org", follows=topic)
    before = (
        Subscriber.objects.count(),
        Subscription.objects.count(),
        Suppression.objects.count(),
        Consent.objects.count(),
    )
    rehearsed = enter.enter(file=file, topic=topic, now=NOW, rehearse=True)
    assert before == (
        Subscriber.objects.count(),
        Subscription.objects.count(),
        Suppression.objects.count(),
        Consent.objects.count(),
    )
    said = dict(rehearsed.faults.values_list("row", "code"))
    entered = enter.enter(file=file, topic=topic, now=NOW)
    assert (_counts(rehearsed), said) == (_counts(entered), dict(entered.faults.values_list("row", "code")))
    live = Subscription.objects.filter(topic=topic, left_at=None).count()
    imported = Consent.objects.filter(topic=topic, act="imported").count()
    assert imported == entered.added and live <= entered.added + 1
    left = Subscription.objects.filter(topic=topic, left_at__isnull=False).count()
    assert Consent.objects.filter(topic=topic, act="left").count() == left
