"""A batch under every way to die: nobody lost, nobody doubled, and who is in doubt is listed."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audience import subscribe
from pipeline.channels.base import Outcome, Permanent, RateLimited, Temporary
from pipeline.delivery import send
from pipeline.delivery.batches import batch
from pipeline.delivery.batches import journal as journals
from pipeline.delivery.message import mail
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.editions.models import Edition
from pipeline.kernel.config import Config
from tests.delivery.batches.dying import Killed, Post, lapse

pytestmark = pytest.mark.django_db
READERS = 7
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEY = PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
RECORD = b"v=DKIM1; k=rsa; p=" + b64encode(
    PRIVATE.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
)


def work(post: Post, here: Config) -> None:
    """One worker takes the batch and may die; what it held on to is let go of, as a dead process would."""
    row = Batch.objects.get()
    with contextlib.suppress(Killed):
        batch.submit(batch_id=row.id, config=here, now=timezone.now(), channel=post)


def states() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))


def test_a_batch_without_trouble_is_accepted_whole_and_ends_the_send(going: Send, here: Config) -> None:
    post = Post()
    work(post, here)
    assert states() == {"accepted": READERS}
    assert set(post.taken.values()) == {1}
    going.refresh_from_db()
    assert going.state == Send.State.SUBMITTED
    assert Edition.objects.get().state == Edition.State.SENT
    assert not list((here.data_dir / "journal").iterdir())


def test_each_reader_gets_a_message_and_links_of_their_own(going: Send, here: Config) -> None:
    post = Post()
    work(post, here)
    assert len(set(post.messages)) == READERS
    identities = {line for m in post.messages for line in m.split(b"\r\n") if line.startswith(b"Message-ID:")}
    assert len(identities) == READERS


@pytest.mark.parametrize("at", range(READERS))
def test_a_death_before_the_dot_loses_and_doubts_nobody(going: Send, here: Config, at: int) -> None:
    post = Post(die_before_dot=at)
    work(post, here)
    post.die_before_dot = None
    lapse()
    work(post, here)
    assert states() == {"accepted": READERS}
    assert set(post.taken.values()) == {1}


@pytest.mark.parametrize("at", range(READERS))
def test_a_death_after_the_dot_puts_exactly_that_reader_in_doubt(going: Send, here: Config, at: int) -> None:
    post = Post(die_after_dot=at)
    work(post, here)
    post.die_after_dot = None
    lapse()
    work(post, here)
    assert states() == {"accepted": READERS - 1, "unknown": 1}
    assert set(post.taken.values()) == {1}, "the one in doubt was taken and must not be sent again"
    assert len(post.taken) == READERS


@pytest.mark.parametrize("at", range(READERS))
def test_an_answer_in_the_journal_survives_its_reader_of_it(going: Send, here: Config, at: int) -> None:
    post = Post(die_after_answer=at)
    work(post, here)
    post.die_after_answer = None
    lapse()
    work(post, here)
    assert states() == {"accepted": READERS}
    assert set(post.taken.values()) == {1}


def test_a_batch_held_by_a_living_process_is_never_taken_however_old_its_lease(going: Send, here: Config) -> None:
    post, rival = Post(), Post()

    def interrupt(number: int) -> None:
        if number == 3:
            lapse()
            assert batch.submit(batch_id=Batch.objects.get().id, config=here, now=timezone.now(), channel=rival) is None

    post.meanwhile = interrupt
    work(post, here)
    assert not rival.taken
    assert states() == {"accepted": READERS}


def test_a_journal_of_another_boot_proves_nothing_and_all_that_is_open_is_in_doubt(
    going: Send, here: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(Post(die_after_dot=2), here)
    monkeypatch.setattr(journals, "boot_id", lambda: "another boot")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE dateline_batch SET lease_until = clock_timestamp() - interval '1 hour'")
    work(Post(), here)
    assert states() == {"unknown": READERS}


def test_a_deferred_reader_is_tried_again_later_and_not_before(going: Send, here: Config) -> None:
    post = Post(answers={2: Outcome.DEFERRED})
    work(post, here)
    assert states() == {"accepted": READERS - 1, "deferred": 1}
    waiting = Batch.objects.get()
    assert waiting.state == Batch.State.PENDING
    assert timedelta(minutes=4) < waiting.due_at - timezone.now() < timedelta(minutes=6)
    assert batch.submit(batch_id=waiting.id, config=here, now=timezone.now(), channel=post) is None
    lapse()
    Delivery.objects.filter(state="deferred").update(next_try_at=timezone.now())
    post.answers = {}
    work(post, here)
    assert states() == {"accepted": READERS}


def test_a_reader_deferred_for_too_long_is_given_up_with_the_reason(going: Send, here: Config) -> None:
    post = Post(answers=dict.fromkeys(range(READERS), Outcome.DEFERRED))
    for _ in range(8):
        work(post, here)
        lapse()
        Delivery.objects.filter(state="deferred").update(next_try_at=timezone.now())
    assert states() == {"refused": READERS}
    assert "gave up after 7 tries" in Delivery.objects.values_list("reason", flat=True)[0]
    assert Send.objects.get().state == Send.State.SUBMITTED


def test_whoever_leaves_between_freeze_and_submission_is_not_mailed(going: Send, here: Config) -> None:
    row = Delivery.objects.order_by("ordinal")[3]
    subscribe.leave(
        subscriber_id=row.subscriber_id, topic_id=going.edition.newsletter.topic_id, origin="test", now=timezone.now()
    )
    post = Post()
    work(post, here)
    assert row.address not in post.taken
    assert states() == {"accepted": READERS - 1, "suppressed": 1}


def test_a_pause_acts_inside_the_batch_and_resuming_reaches_the_rest(
    going: Send, here: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "FLUSH_EVERY_S", 0)
    post = Post()
    post.meanwhile = lambda number: send.pause(send_id=going.id, now=timezone.now()) and None if number == 2 else None
    work(post, here)
    assert states() == {"accepted": 3, "pending": READERS - 3}
    assert Batch.objects.get().state == Batch.State.PENDING
    assert batch.submit(batch_id=Batch.objects.get().id, config=here, now=timezone.now(), channel=post) is None
    post.meanwhile = lambda _n: None
    assert send.resume(send_id=going.id, now=timezone.now() - timedelta(seconds=1))
    work(post, here)
    assert states() == {"accepted": READERS}
    assert set(post.taken.values()) == {1}


def test_cancelling_spares_everyone_who_has_not_been_mailed(
    going: Send, here: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "FLUSH_EVERY_S", 0)
    post = Post()

    def cancel(number: int) -> None:
        if number == 2:
            send.cancel(send_id=going.id, now=timezone.now(), actor=None, reason="wrong audience")

    post.meanwhile = cancel
    work(post, here)
    assert states() == {"accepted": 3, "cancelled": READERS - 3}
    assert Edition.objects.get().state == Edition.State.CANCELLED


def test_a_server_that_cannot_be_reached_costs_time_and_nobody(going: Send, here: Config) -> None:
    work(Post(refuse=Temporary("connection refused")), here)
    assert states() == {"pending": READERS}
    going.refresh_from_db()
    assert (going.state, going.code) == (Send.State.SUBMITTING, "server_away")
    lapse()
    post = Post()
    work(post, here)
    assert states() == {"accepted": READERS}


def test_a_server_that_refuses_our_password_pauses_the_send_and_says_so(going: Send, here: Config) -> None:
    work(Post(refuse=Permanent("535 5.7.8 no")), here)
    going.refresh_from_db()
    assert (going.state, going.code) == (Send.State.PAUSED, "server_refused")
    assert states() == {"pending": READERS}


def test_a_server_that_blames_us_pauses_the_send_with_its_words_and_ends_nobody(going: Send, here: Config) -> None:
    post = Post(answers=dict.fromkeys(range(READERS), Outcome.POLICY))
    work(post, here)
    going.refresh_from_db()
    assert (going.state, going.code) == (Send.State.PAUSED, "server_refused")
    assert "spam" in going.params["said"]
    assert states() == {"pending": READERS}
    assert send.resume(send_id=going.id, now=timezone.now() - timedelta(seconds=1))
    work(Post(), here)
    assert states() == {"accepted": READERS}


def test_one_readers_own_rules_refuse_that_reader_and_stop_nobody(going: Send, here: Config) -> None:
    work(Post(answers={2: Outcome.POLICY, 4: Outcome.POLICY}), here)
    assert states() == {"accepted": READERS - 2, "refused": 2}
    assert Send.objects.get().state == Send.State.SUBMITTED


def test_a_death_before_it_was_clear_whose_fault_it_was_puts_the_reader_back(going: Send, here: Config) -> None:
    work(Post(answers={1: Outcome.POLICY}, die_before_dot=2), here)
    lapse()
    work(Post(), here)
    assert states() == {"accepted": READERS}


def test_news_that_would_come_after_its_time_is_not_tried_again(going: Send, here: Config) -> None:
    Send.objects.update(expires_at=timezone.now() + timedelta(minutes=2))
    work(Post(answers={2: Outcome.DEFERRED}), here)
    assert states() == {"accepted": READERS - 1, "refused": 1}
    assert "expired after 1 tries" in Delivery.objects.get(state="refused").reason
    assert Send.objects.get().state == Send.State.SUBMITTED


def test_what_waits_when_the_time_is_over_ends_and_says_so(going: Send, here: Config) -> None:
    work(Post(answers={2: Outcome.DEFERRED}), here)
    lapse()
    Send.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    Delivery.objects.filter(state="deferred").update(next_try_at=timezone.now())
    post = Post()
    work(post, here)
    assert (states(), post.taken) == ({"accepted": READERS - 1, "refused": 1}, {})


def test_a_run_whose_time_ends_on_the_way_mails_nobody_late(
    going: Send, here: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "FLUSH_EVERY_S", 0)

    def meanwhile(number: int) -> None:
        if number == 2:
            Send.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    work(Post(meanwhile=meanwhile), here)
    lapse()
    work(Post(), here)
    ended = Delivery.objects.filter(state="cancelled").values_list("reason", flat=True)
    assert (len(ended), set(ended)) == (READERS - 3, {"its time was over before it could be sent"})


def test_waits_are_spread_so_that_nobody_comes_back_together(going: Send, here: Config) -> None:
    work(Post(answers=dict.fromkeys(range(READERS), Outcome.DEFERRED)), here)
    waits = {(row.next_try_at - row.answered_at).total_seconds() for row in Delivery.objects.all()}
    assert len(waits) == READERS
    assert all(240 <= wait <= 360 for wait in waits)


def test_a_channel_that_asks_for_patience_is_asked_again_when_it_said(going: Send, here: Config) -> None:
    work(Post(refuse=RateLimited("later", retry_after_s=900)), here)
    assert states() == {"pending": READERS}
    assert 880 < (Batch.objects.get().due_at - timezone.now()).total_seconds() <= 900
    going.refresh_from_db()
    assert (going.state, going.code) == (Send.State.SUBMITTING, "")


def test_messages_are_signed_where_a_key_is_set(going: Send, here: Config) -> None:
    post = Post()
    work(post, replace(here, dkim_key=KEY, dkim_selector="s1"))
    assert len(post.messages) == READERS
    domain = mail.domain_of(going.edition.newsletter.from_address)
    assert all(dkim.verify(message, dnsfunc=lambda *_, **__: RECORD) for message in post.messages)
    assert all(f" d={domain}; s=s1;".encode() in message for message in post.messages)


def test_a_key_that_cannot_be_used_pauses_the_send_before_anything_leaves(going: Send, here: Config) -> None:
    post = Post()
    work(post, replace(here, dkim_key="no key", dkim_selector="s1"))
    going.refresh_from_db()
    assert (going.state, post.taken) == (Send.State.PAUSED, {})
    assert "private key" in going.params["said"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lives=st.lists(
        st.fixed_dictionaries(
            {
                "die_before_dot": st.none() | st.integers(0, READERS),
                "die_after_dot": st.none() | st.integers(0, READERS),
                "die_after_answer": st.none() | st.integers(0, READERS),
                "answers": st.dictionaries(st.integers(0, READERS), st.sampled_from(list(Outcome)), max_size=3),
            }
        ),
        max_size=6,
    )
)
def test_whatever_happens_nobody_is_lost_or_doubled(going: Send, here: Config, lives: list[dict]) -> None:
    Delivery.objects.update(state="pending", tries=0, next_try_at=None)
    Batch.objects.update(state="pending", lease_until=None, due_at=timezone.now() - timedelta(seconds=1))
    Send.objects.update(state=Send.State.SUBMITTING)
    Edition.objects.update(state=Edition.State.SENDING)
    taken: Counter[str] = Counter()
    for life in [*lives, {}, {}]:
        work(Post(**life, taken=taken), here)
        send.resume(send_id=going.id, now=timezone.now())  # paused where everything was against a policy
        lapse()
        Delivery.objects.filter(state="deferred").update(next_try_at=timezone.now())
    after = {row.address: row.state for row in Delivery.objects.all()}
    assert all(count == 1 for count in taken.values())
    assert {address for address, state in after.items() if state == "accepted"} <= set(taken)
    lost = [a for a, state in after.items() if a not in taken and state not in {"unknown", "refused"}]
    assert lost == []
    assert set(taken) - {a for a, s in after.items() if s == "accepted"} == {
        a for a, s in after.items() if s == "unknown" and a in taken
    }
    assert Send.objects.get().state == Send.State.SUBMITTED
