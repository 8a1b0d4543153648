"""Asking makes a letter to write and keeps the evidence, within limits nobody outside can see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.audience.joining.asking import MOST_LETTERS, ask_to_join, follows_all
from pipeline.audience.models import Confirmation, Consent, Subscriber, Suppression, Topic
from pipeline.audience.suppress import suppress
from tests.audience.joining.conftest import NOW, Wishing
from tests.factories import audience

pytestmark = pytest.mark.django_db


def sent(row: Confirmation | None) -> None:
    assert row is not None
    Confirmation.objects.filter(id=row.id).update(sent_at=NOW)


def test_asking_makes_a_letter_and_no_recipient(wish: Wishing, brief: Topic) -> None:
    made = ask_to_join(wish(language="fr"), now=NOW)
    assert made is not None and made.topics == [brief.id]
    assert made.expires_at == NOW + timedelta(days=7)
    reader = Subscriber.objects.get()
    assert (reader.state, reader.language, reader.subscriptions.count()) == ("pending", "fr", 0)


def test_the_evidence_says_when_where_by_which_form_and_in_which_words(wish: Wishing, brief: Topic) -> None:
    ask_to_join(wish(), now=NOW)
    kept = Consent.objects.get()
    assert (kept.act, kept.at, kept.topic_id, kept.form) == ("asked", NOW, brief.id, "page")
    assert (kept.origin, kept.network) == ("http://testserver/join/", "192.0.2.0/24")
    assert (kept.wording, kept.wording_version) == ("I want it.", "en-0")


def test_asking_again_before_the_letter_left_adds_to_it(wish: Wishing, brief: Topic) -> None:
    africa = Topic.objects.create(slug="africa", name="Africa", kind="section")
    first = ask_to_join(wish(), now=NOW)
    second = ask_to_join(wish(topics=(africa.id,)), now=NOW)
    assert first is not None and second is not None and first.id == second.id
    assert second.topics == sorted([brief.id, africa.id])


def test_an_address_can_be_made_to_get_only_so_many_letters_a_day(wish: Wishing) -> None:
    for _ in range(MOST_LETTERS):
        sent(ask_to_join(wish(), now=NOW))
    assert ask_to_join(wish(), now=NOW) is None
    assert ask_to_join(wish(), now=NOW + timedelta(days=1, seconds=1)) is not None


def test_a_reader_is_told_once_a_day_that_nothing_is_new(wish: Wishing, brief: Topic) -> None:
    audience.cleo(follows=brief)
    sent(ask_to_join(wish(), now=NOW))
    assert ask_to_join(wish(), now=NOW) is None


def test_a_reader_who_wants_more_is_asked_like_anybody(wish: Wishing, brief: Topic) -> None:
    reader = audience.cleo(follows=brief)
    weekly = audience.topic(slug="weekly", name="The Week")
    assert follows_all(reader.id, [brief.id])
    assert not follows_all(reader.id, [brief.id, weekly.id])
    sent(ask_to_join(wish(topics=(brief.id, weekly.id)), now=NOW))
    assert ask_to_join(wish(topics=(brief.id, weekly.id)), now=NOW) is not None


@pytest.mark.parametrize(("reason", "letters"), [("bounced", 0), ("complained", 0), ("manual", 0), ("left_all", 1)])
def test_only_a_reader_who_left_by_choice_is_written_to_again(wish: Wishing, reason: str, letters: int) -> None:
    suppress(address="cleo@example.org", reason=Suppression.Reason(reason), now=NOW)
    ask_to_join(wish(), now=NOW)
    assert Confirmation.objects.count() == letters
