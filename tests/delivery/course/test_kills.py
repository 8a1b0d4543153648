"""A story killed while its edition leaves: nobody gets it any more, and nobody loses the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy

import pytest
from django.utils import timezone

from pipeline.articles.models import Article
from pipeline.channels.base import Envelope, MailJournal, Outcome, Receipt, Temporary
from pipeline.delivery.batches import batch, claims, journal
from pipeline.delivery.course import kills
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.delivery.send import prepare, resume
from pipeline.editions.models import Edition, Item
from pipeline.engagement.models import Link
from pipeline.kernel.config import config
from pipeline.staff.models import JournalEntry, User
from tests.delivery.course.conftest import Begin
from tests.factories import editions

pytestmark = pytest.mark.django_db


@dataclass
class Post:
    """A mail server with a memory; `meanwhile` happens before each message."""

    meanwhile: Callable[[int], None] = lambda _: None
    got: dict[str, str] = field(default_factory=dict)

    def submit(
        self, envelopes: Iterable[Envelope], *, journal: MailJournal, record: Callable[[Receipt], None],
        stopping: Callable[[], bool],
    ) -> None:  # fmt: skip
        for number, envelope in enumerate(envelopes):
            self.meanwhile(number)
            assert envelope.recipient not in self.got
            told = message_from_bytes(envelope.data, policy=policy.default)
            part = told.get_body(("plain",))
            assert part is not None
            self.got[envelope.recipient] = f"{told['Subject']}\n{part.get_content()}"
            receipt = Receipt(key=envelope.key, outcome=Outcome.ACCEPTED, code=250)
            journal.dot(envelope.key)
            journal.answer(receipt)
            record(receipt)
            if stopping():
                break


def work(post: Post) -> None:
    """Every batch that can be taken, taken once."""
    Batch.objects.filter(state="pending").update(due_at=timezone.now() - timedelta(seconds=1))
    for row in Batch.objects.filter(state="pending").order_by("number"):
        batch.submit(batch_id=row.id, config=config(), now=timezone.now(), channel=post)


def kill(article: Article) -> None:
    Article.objects.filter(id=article.id).update(state=Article.State.KILLED, killed_at=timezone.now())


def lead_of(send: Send) -> Article:
    return Item.objects.filter(edition=send.edition, picked=True).order_by("block__position", "position")[0].article


def test_what_has_not_left_leaves_without_it_under_the_same_numbers(begun: Begin) -> None:
    send = begun()
    victim, post, links = lead_of(send), Post(), list(Link.objects.order_by("number").values_list("number", "url"))
    first = Batch.objects.order_by("number")[0]
    batch.submit(batch_id=first.id, config=config(), now=timezone.now(), channel=post)
    kill(victim)
    before = Edition.objects.get()
    kills.sweep(now=timezone.now())
    kills.sweep(now=timezone.now())
    assert Send.objects.get().state == "submitting", "nobody held a batch, so nothing had to be waited for"
    work(post)
    had = [words for words in post.got.values() if victim.headline in words]
    assert (len(had), len(post.got)) == (2, 6)
    assert list(Link.objects.order_by("number").values_list("number", "url")) == links
    after = Edition.objects.select_related("rendering").get()
    leads_to = dict(Link.objects.values_list("number", "article_id"))
    linked = {leads_to[int(number)] for number in re.findall(r"\[\[dl:c(\d+)\]\]", after.rendering.html)}
    assert linked - {None} == set(after.items.filter(picked=True).values_list("article_id", flat=True))
    assert after.rendering.revision == after.revision == before.revision + 1
    assert after.subject != victim.headline
    assert (Item.objects.get(article=victim).picked, Item.objects.get(article=victim).code) == (False, "killed")
    entry = JournalEntry.objects.get(verb="leave_out")
    assert (entry.detail["stories"], entry.detail["readers"]) == ([victim.headline], 4)
    assert (Send.objects.get().state, after.state) == ("submitted", "sent")


def test_a_worker_in_the_middle_of_a_batch_stops_and_is_waited_for(
    begun: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "FLUSH_EVERY_S", 0)
    send = begun(readers=6, batch=6)
    victim, seen = lead_of(send), list[str]()

    def meanwhile(number: int) -> None:
        if number == 2:
            kill(victim)
            kills.sweep(now=timezone.now())
            kills.sweep(now=timezone.now())
            row = Send.objects.get()
            seen.append(f"{row.state} {row.code}")

    post = Post(meanwhile)
    work(post)
    assert seen == ["paused leaving_out"], "the holder lives: nothing is rendered under its hands"
    assert len(post.got) == 3, "it finished the message it was in the middle of"
    kills.sweep(now=timezone.now())
    assert Send.objects.get().state == "submitting"
    post.meanwhile = lambda _: None
    work(post)
    assert sorted(victim.headline in words for words in post.got.values()) == [False] * 3 + [True] * 3


def test_a_holder_that_died_is_not_waited_for_and_its_answers_are_kept(begun: Begin) -> None:
    send = begun(readers=6, batch=6)
    victim = lead_of(send)
    row = Batch.objects.get()
    held = journal.Journal(journal.path_of(data_dir=config().data_dir, batch_id=row.id, fence=1))
    Batch.objects.update(
        state="claimed", fence=1, host=journal.machine(), lease_until=timezone.now() + timedelta(seconds=1)
    )
    done = Delivery.objects.order_by("ordinal")[0]
    held.dot(done.id)
    held.answer(Receipt(key=done.id, outcome=Outcome.ACCEPTED, code=250))
    kill(victim)
    kills.sweep(now=timezone.now())
    assert Send.objects.get().code == "leaving_out", "its lock says that it lives"
    held.abandon()
    kills.sweep(now=timezone.now())
    assert Send.objects.get().state == "submitting"
    Batch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    post = Post()
    batch.submit(batch_id=row.id, config=config(), now=timezone.now(), channel=post)
    assert len(post.got) == 5
    assert not any(victim.headline in words for words in post.got.values())
    assert set(Delivery.objects.values_list("state", flat=True)) == {"accepted"}


def test_a_holder_on_another_machine_is_given_its_time(begun: Begin) -> None:
    send = begun(readers=2)
    now = timezone.now()
    Batch.objects.update(state="claimed", fence=1, host="elsewhere", lease_until=now)
    kill(lead_of(send))
    kills.sweep(now=now)
    kills.sweep(now=now + timedelta(seconds=claims.FOREIGN_PATIENCE_S - 1))
    assert Send.objects.get().code == "leaving_out"
    kills.sweep(now=now + timedelta(seconds=claims.FOREIGN_PATIENCE_S + 1))
    assert Send.objects.get().state == "submitting"


def test_by_policy_it_is_held_and_goes_on_without_the_story_when_a_person_says_so(begun: Begin, ada: User) -> None:
    send = begun(on_kill="hold")
    victim, post = lead_of(send), Post()
    kill(victim)
    for _ in range(3):
        kills.sweep(now=timezone.now())
    row = Send.objects.get()
    assert (row.state, row.code) == ("paused", "story_killed")
    work(post)
    assert post.got == {}
    assert resume(send_id=send.id, now=timezone.now(), actor=ada)
    assert Send.objects.get().state == "paused", "never with the story"
    kills.sweep(now=timezone.now())
    work(post)
    assert len(post.got) == 6
    assert not any(victim.headline in words for words in post.got.values())


def test_a_story_killed_between_the_beginning_and_the_freeze_never_leaves(begun: Begin) -> None:
    send = begun(readers=0)
    editions_of = Edition.objects.get()
    Send.objects.update(state="planned", prepared_at=None)
    Edition.objects.update(state="sending")
    kill(lead_of(send))
    assert prepare(send_id=send.id, now=editions.NOW) == 0
    row = Send.objects.get()
    assert (row.state, row.code) == ("paused", "story_killed")
    kills.sweep(now=timezone.now())
    assert Send.objects.get().state == "submitting"
    assert Edition.objects.get().revision == editions_of.revision + 1


def test_an_edition_of_nothing_else_waits_for_a_person(begun: Begin) -> None:
    send = begun()
    for item in Item.objects.filter(picked=True):
        kill(item.article)
    for _ in range(3):
        kills.sweep(now=timezone.now())
    row = Send.objects.get(id=send.id)
    assert (row.state, row.code, row.params) == ("paused", "story_killed", {"why": "no other news is in it"})
    assert Item.objects.filter(picked=True).exists(), "nothing was changed"


def test_an_editors_subject_goes_with_the_lead_it_was_written_for(begun: Begin) -> None:
    send = begun()
    Edition.objects.update(edited=True, subject="The lead says it all", preheader="Read on")
    kill(lead_of(send))
    kills.sweep(now=timezone.now())
    post = Post()
    work(post)
    assert len(post.got) == 6
    assert not any("The lead says it all" in words for words in post.got.values())


def test_sends_without_a_killed_story_are_left_alone(begun: Begin) -> None:
    begun()
    kills.sweep(now=timezone.now())
    assert Send.objects.get().state == "submitting"
    assert not JournalEntry.objects.exists()


def test_a_batch_taken_while_the_send_was_being_stopped_is_waited_for(
    begun: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim began before the pause and is kept after the look: its holder has the words of before."""
    send = begun(readers=2)
    now, leave_out = timezone.now(), kills._leave_out

    def slow(*, send_id: int, now: datetime) -> bool:
        Batch.objects.update(state="claimed", fence=1, host="elsewhere", lease_until=now + timedelta(seconds=10))
        return leave_out(send_id=send_id, now=now)

    monkeypatch.setattr(kills, "_leave_out", slow)
    kill(lead_of(send))
    kills.sweep(now=now)
    assert (Send.objects.get().state, Send.objects.get().code) == ("paused", "leaving_out")


def test_a_holder_whose_server_is_away_does_not_end_the_waiting_for_its_batch(begun: Begin) -> None:
    send = begun(readers=2)
    row = Batch.objects.get()
    held = claims.take(batch_id=row.id, data_dir=config().data_dir, now=timezone.now())
    assert held is not None
    kill(lead_of(send))
    kills.sweep(now=timezone.now())
    claims.release(held[0], trouble=Temporary("connection refused"))
    held[1].discard()
    assert Send.objects.get().code == "leaving_out", "why it stands is what lets it go on"
    kills.sweep(now=timezone.now())
    assert Send.objects.get().state == "submitting"


def test_a_slow_sweep_does_not_stop_again_what_goes_on_without_the_story(
    begun: Begin, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = begun(on_kill="hold")
    kill(lead_of(send))
    stop = kills._stop

    def slow(row: Send, *, now: datetime) -> None:
        monkeypatch.setattr(kills, "_stop", stop)
        kills.sweep(now=now)
        resume(send_id=row.id, now=now, actor=ada)
        kills.sweep(now=now)
        stop(row, now=now)

    monkeypatch.setattr(kills, "_stop", slow)
    kills.sweep(now=timezone.now())
    assert (Send.objects.get().state, Send.objects.get().code) == ("submitting", "")
