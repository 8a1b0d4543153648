"""What the desk does for a reader: with a reason, in the journal, and never what only the reader may undo."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pipeline.audience.care import finding, patience, steering
from pipeline.audience.models import Subscriber, Subscription, Suppression
from pipeline.audience.suppress import suppress
from pipeline.staff.models import JournalEntry, Role, User
from tests.factories import audience, staff

pytestmark = pytest.mark.django_db
NOW = audience.NOW


@pytest.fixture
def head() -> User:
    return staff.user(email="head@example.org", name="Hana", role=Role.HEAD)


@pytest.fixture
def cleo() -> Subscriber:
    return audience.cleo(follows=audience.topic())


def test_a_suppression_is_laid_and_lifted_with_the_reason_in_the_journal(cleo: Subscriber, head: User) -> None:
    how = {"subscriber_id": cleo.id, "actor": head, "now": NOW}
    assert steering.suppress(**how, reason="asked by telephone") is True
    assert audience_reach() == 0
    assert steering.suppress(**how, reason="again") is False
    assert steering.lift(**how, reason="asked to come back") is True
    assert audience_reach() == 1
    assert steering.lift(**how, reason="once more") is False
    told = JournalEntry.objects.order_by("id").values_list("verb", "reason", "subject_id")
    assert list(told) == [
        ("suppress", "asked by telephone", cleo.id),
        ("lift suppression", "asked to come back", cleo.id),
    ]


@pytest.mark.parametrize("reason", [Suppression.Reason.COMPLAINED, Suppression.Reason.LEFT_ALL])
def test_what_a_reader_said_themselves_is_not_the_desks_to_lift(
    cleo: Subscriber, head: User, reason: Suppression.Reason
) -> None:
    suppress(address=cleo.address, reason=reason, now=NOW)
    with pytest.raises(steering.Refused, match="Nothing was changed"):
        steering.lift(subscriber_id=cleo.id, actor=head, now=NOW, reason="please")
    assert (Suppression.objects.count(), JournalEntry.objects.count()) == (1, 0)


def test_ending_one_subscription_leaves_the_others_and_ending_all_keeps_imports_away(
    cleo: Subscriber, head: User
) -> None:
    weekly = audience.topic(slug="weekly", name="Weekly")
    Subscription.objects.create(subscriber=cleo, topic=weekly, since=NOW)
    how = {"subscriber_id": cleo.id, "actor": head, "now": NOW, "reason": "wrote to us"}
    assert steering.end(topic_id=weekly.id, **how) is True
    assert steering.end(topic_id=weekly.id, **how) is False
    assert Suppression.objects.count() == 0
    assert steering.end(topic_id=None, **how) is True
    assert steering.end(topic_id=None, **how) is False
    assert Suppression.objects.get().reason == "left_all"
    assert list(JournalEntry.objects.order_by("id").values_list("detail__ended", flat=True)) == [1, 1]


@pytest.mark.parametrize("role", [Role.EDITOR, Role.SOCIAL, Role.VIEWER])
def test_other_roles_do_nothing_for_a_reader(cleo: Subscriber, role: Role) -> None:
    other = staff.user(email="other@example.org", role=role)
    for act in (steering.suppress, steering.lift):
        with pytest.raises(steering.Refused):
            act(subscriber_id=cleo.id, actor=other, now=NOW, reason="why not")
    assert Suppression.objects.count() == 0


def test_without_a_reason_nothing_is_done(cleo: Subscriber, head: User) -> None:
    with pytest.raises(steering.Refused, match="Say why"):
        steering.end(subscriber_id=cleo.id, topic_id=None, actor=head, now=NOW, reason="")
    assert Subscription.objects.get().left_at is None


def audience_reach() -> int:
    return audience.reach(topic_id=audience.topic().id)


def test_a_reader_is_found_by_the_whole_address_its_beginning_or_a_part(cleo: Subscriber) -> None:
    audience.readers(count=3, follows=audience.topic())
    for asked in ("cleo@example.org", " CLEO@example.ORG ", "cle", "o@example.o", "@example.org"):
        assert finding.find(asked=asked).readers == (cleo,)
    assert finding.find(asked="leo").readers == (cleo,)
    assert finding.find(asked="le").readers == (), "two letters are too few for a part"
    assert finding.find(asked="%").readers == finding.find(asked="\x00").readers == ()
    assert finding.find(asked="cleo", by_part=False).readers == ()
    assert finding.find(asked="cleo@example.org", by_part=False).readers == (cleo,)


def test_a_search_shows_a_bounded_page_and_says_that_there_are_more() -> None:
    audience.readers(count=finding.MOST + 1, follows=audience.topic())
    found = finding.find(asked="reader-")
    assert (len(found.readers), found.has_more) == (finding.MOST, True)


def test_an_address_we_only_know_as_suppressed_is_told() -> None:
    suppress(address="gone@example.org", reason=Suppression.Reason.BOUNCED, now=NOW)
    found = finding.find(asked="Gone@example.org")
    assert found.readers == () and found.suppressed is not None and found.suppressed.reason == "bounced"


def test_the_beginning_of_an_address_is_looked_up_in_an_index(cleo: Subscriber) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as asked:
        finding.find(asked="cle")
    [begins] = [q["sql"] for q in asked.captured_queries if "LIKE 'cle%'" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {begins}")
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "Index Cond" in plan and "cle" in plan


def test_a_question_that_takes_too_long_is_given_up_and_leaves_the_transaction_whole() -> None:
    with pytest.raises(patience.TookTooLong), patience.within(20), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    assert Subscriber.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_a_masked_address_keeps_its_first_letter_and_domain() -> None:
    assert finding.masked("cleo@example.org") == "c…@example.org"
