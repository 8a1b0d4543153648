"""All mail stopped at once, and what is too old when it goes on."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.delivery import send
from pipeline.delivery.batches import batch
from pipeline.delivery.course import brake
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.staff.models import JournalEntry, Role, Stop
from tests.delivery.course.conftest import Begin
from tests.delivery.course.test_kills import Post, work
from tests.factories import staff

pytestmark = pytest.mark.django_db


def states() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))


def prepared(begun: Begin) -> Send:
    return begun(batch=6)


def test_nothing_is_taken_after_the_brake_is_pulled_and_all_of_it_after_it_is_let_go(begun: Begin) -> None:
    prepared(begun)
    assert brake.pull(actor=None, now=timezone.now(), reason="wrong subject")
    post = Post()
    work(post)
    assert (post.got, states()) == ({}, {"pending": 6})
    assert send.sweep(now=timezone.now() + timedelta(minutes=1)) == 0, "no bell rings for what may not be taken"
    assert brake.release(actor=None, now=timezone.now())
    work(post)
    assert (len(post.got), states()) == (6, {"accepted": 6})


def test_a_batch_on_its_way_stops_with_the_message_on_the_wire(begun: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(begun)
    monkeypatch.setattr(batch, "FLUSH_EVERY_S", 0)
    post = Post(
        meanwhile=lambda number: number == 2 and brake.pull(actor=None, now=timezone.now(), reason="x") and None
    )
    work(post)
    assert (len(post.got), states()) == (3, {"accepted": 3, "pending": 3})
    assert Batch.objects.get().state == "pending", "it is let go, not held"
    brake.release(actor=None, now=timezone.now())
    work(post)
    assert states() == {"accepted": 6}


def test_what_is_too_old_when_mail_leaves_again_is_not_sent_and_says_so(begun: Begin) -> None:
    made = prepared(begun)
    brake.pull(actor=None, now=timezone.now(), reason="a long night")
    Send.objects.filter(id=made.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    brake.release(actor=None, now=timezone.now())
    post = Post()
    work(post)
    assert (post.got, states()) == ({}, {"cancelled": 6})
    assert Delivery.objects.values_list("reason", flat=True)[0] == "its time was over before it could be sent"
    made.refresh_from_db()
    assert made.state == Send.State.SUBMITTED, "every reader is accounted for"


def test_pulling_it_twice_keeps_the_first_reason(begun: Begin) -> None:
    assert brake.pull(actor=None, now=timezone.now(), reason="first")
    assert not brake.pull(actor=None, now=timezone.now(), reason="second")
    assert Stop.objects.get(kind="sending").reason == "first"
    assert brake.release(actor=None, now=timezone.now())
    assert not brake.release(actor=None, now=timezone.now())


def test_an_editor_stops_all_mail_at_the_desk_with_a_reason_everybody_sees(begun: Begin) -> None:
    prepared(begun)
    desk, viewer = Client(), Client()
    desk.force_login(staff.user(email="editor@example.org"))
    viewer.force_login(staff.user(email="viewer@example.org", role=Role.VIEWER))
    refused = viewer.post("/desk/status/stop-sending", {"reason": "x"}, follow=True)
    assert "may not stop or start sending" in refused.content.decode()
    assert "Say why" in desk.post("/desk/status/stop-sending", {"reason": "  "}, follow=True).content.decode()
    assert not brake.is_pulled()
    done = desk.post("/desk/status/stop-sending", {"reason": "wrong subject"}, follow=True).content.decode()
    assert "6 mails of editions under way are kept back" in done
    assert "wrong subject" in viewer.get("/desk/posts/").content.decode(), "on every page"
    assert "goes on" in desk.post("/desk/status/send-again", follow=True).content.decode()
    assert not brake.is_pulled()
    assert set(JournalEntry.objects.filter(subject="sending").values_list("verb", flat=True)) == {"stop", "resume"}
