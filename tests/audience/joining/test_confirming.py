"""A token works once, until it expires, and exists only in its letter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from pipeline.audience import subscribe
from pipeline.audience.joining import confirming
from pipeline.audience.joining.asking import ask_to_join
from pipeline.audience.joining.confirming import State
from pipeline.audience.models import Confirmation, Consent, Subscriber, Suppression, Topic
from tests.audience.joining.conftest import NOW, Wishing
from tests.factories import audience

pytestmark = pytest.mark.django_db
WHERE = {"origin": "letter", "network": "192.0.2.0/24"}


def letter(wish: Wishing, **said: object) -> confirming.Letter:
    made = ask_to_join(wish(**said), now=NOW)
    assert made is not None
    taken = confirming.take(confirmation_id=made.id, now=NOW)
    assert taken is not None
    return taken


def test_a_letter_is_taken_once(wish: Wishing) -> None:
    letter(wish)
    assert confirming.take(confirmation_id=Confirmation.objects.get().id, now=NOW) is None


def test_a_letter_given_back_is_taken_again_with_another_token(wish: Wishing) -> None:
    first, row = letter(wish), Confirmation.objects.get()
    confirming.give_back(confirmation_id=row.id)
    assert confirming.unsent(now=NOW) == []
    assert confirming.unsent(now=NOW + timedelta(seconds=11)) == [row.id]
    second = confirming.take(confirmation_id=row.id, now=NOW)
    assert second is not None
    assert confirming.found(first.token, now=NOW).state == State.UNKNOWN
    assert confirming.found(second.token, now=NOW).state == State.OPEN


def test_confirming_makes_a_recipient_with_evidence(wish: Wishing, brief: Topic) -> None:
    token = letter(wish, language="ur").token
    assert confirming.confirm(token, now=NOW, **WHERE).state == State.OPEN
    reader = Subscriber.objects.get()
    assert (reader.state, reader.joined_at, reader.last_human_at, reader.language) == ("active", NOW, NOW, "ur")
    assert audience.reach(topic_id=brief.id) == 1
    kept = Consent.objects.get(act="confirmed")
    assert (kept.origin, kept.network, kept.form) == ("letter", "192.0.2.0/24", "page")


def test_looking_at_a_link_changes_nothing(wish: Wishing, brief: Topic) -> None:
    token = letter(wish).token
    for _ in range(3):
        assert confirming.found(token, now=NOW).state == State.OPEN
    assert audience.reach(topic_id=brief.id) == 0


def test_a_token_works_once_and_a_replay_after_leaving_brings_nobody_back(wish: Wishing, brief: Topic) -> None:
    token = letter(wish).token
    confirming.confirm(token, now=NOW, **WHERE)
    reader = Subscriber.objects.get()
    subscribe.leave(subscriber_id=reader.id, topic_id=brief.id, origin="page", now=NOW)
    assert confirming.confirm(token, now=NOW, **WHERE).state == State.USED
    assert audience.reach(topic_id=brief.id) == 0


def test_a_token_expires(wish: Wishing, brief: Topic) -> None:
    token = letter(wish).token
    late = NOW + timedelta(days=7)
    assert confirming.confirm(token, now=late, **WHERE).state == State.OLD
    assert audience.reach(topic_id=brief.id) == 0


@pytest.mark.parametrize("token", ["", "A" * 22, "é" * 22, "../../etc", "A" * 5000])
def test_what_is_no_token_is_unknown(db: None, token: str) -> None:
    assert confirming.confirm(token, now=NOW, **WHERE).state == State.UNKNOWN


def test_the_row_does_not_hold_the_token(wish: Wishing) -> None:
    token = letter(wish).token
    assert token.encode() not in bytes(Confirmation.objects.get().token_hash)


def test_who_left_everything_and_confirms_again_gets_mail_again(wish: Wishing, brief: Topic) -> None:
    reader = audience.cleo(follows=brief)
    assert subscribe.leave_all(subscriber_id=reader.id, origin="page", now=NOW) == 1
    confirming.confirm(letter(wish).token, now=NOW, **WHERE)
    assert audience.reach(topic_id=brief.id) == 1
    assert Suppression.objects.count() == 0


def test_an_address_nobody_confirmed_is_forgotten_and_a_reader_is_not(wish: Wishing) -> None:
    letter(wish)
    confirming.confirm(letter(wish, address="dan@example.org").token, now=NOW, **WHERE)
    assert confirming.forget(now=NOW + timedelta(days=6)) == 0
    assert confirming.forget(now=NOW + timedelta(days=8)) == 1
    assert Subscriber.objects.get().address == "dan@example.org"


def test_who_asks_once_more_while_the_old_ones_are_looked_for_is_not_forgotten(wish: Wishing) -> None:
    letter(wish)
    later, asked = NOW + timedelta(days=8), list[object]()

    def reader(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if "LIMIT 1000" in sql and not asked:
            asked.append(ask_to_join(wish(), now=later))
        return answer

    with connection.execute_wrapper(reader):
        assert confirming.forget(now=later) == 0
    assert list(Confirmation.objects.filter(expires_at__gt=later)) == asked


def test_a_letter_long_over_is_forgotten_and_what_it_proved_stays(wish: Wishing, brief: Topic) -> None:
    token = letter(wish).token
    confirming.confirm(token, now=NOW, **WHERE)
    over = Confirmation.objects.get().expires_at + confirming.KEPT
    confirming.forget(now=over)
    assert confirming.found(token, now=over).state == State.USED
    confirming.forget(now=over + timedelta(seconds=1))
    assert confirming.found(token, now=over).state == State.UNKNOWN
    assert audience.reach(topic_id=brief.id) == 1
    assert Consent.objects.filter(act="confirmed").count() == 1
