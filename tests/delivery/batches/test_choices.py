"""A batch of readers who chose: each their own copy, the same after a death, the same on the web."""

from __future__ import annotations

import contextlib
import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.audience import subscribe
from pipeline.audience.models import Subscription
from pipeline.delivery import send
from pipeline.delivery.batches import batch
from pipeline.delivery.message import choices, mail
from pipeline.delivery.models import Batch, Send
from pipeline.editions.models import Edition
from pipeline.engagement.models import Origin
from pipeline.kernel.config import Config
from tests.delivery.batches.dying import Killed, Post, lapse
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries

pytestmark = pytest.mark.django_db
SECTIONS = ("Africa", "Asia")
CHOICES = (
    {"kind": "lead", "title": "", "rule": {"count": 1}},
    *({"kind": "section", "title": s, "rule": {"count": 2, "sections": [s], "topic": s.lower()}} for s in SECTIONS),
)


@pytest.fixture
def choosing() -> Send:
    """Reader 1 follows Asia, reader 2 had Asia's story, reader 3 had everything, reader 4 does both; 0 does nothing."""
    newsletter = editions.newsletter(blocks=CHOICES, reader_choice="first", remembers_readers=True)
    other = editions.newsletter(slug="evening", blocks=CHOICES)
    readers = [audience.subscriber(address=f"r{n}@example.org", follows=newsletter.topic) for n in range(5)]
    for n in (1, 4):
        Subscription.objects.create(subscriber=readers[n], topic=audience.topic(slug="asia"), since=audience.NOW)
    now = timezone.now() - timedelta(minutes=10)
    stories = [articles.article(headline="World news", age_s=1800, now=now)]
    stories += [articles.article(headline=f"{s} news", section_path=[s], age_s=3600, now=now) for s in SECTIONS]
    for had, whose in (((stories[2],), (2, 4)), (stories, (3,))):
        edition = editions.edition(newsletter=other, slot_at=now - timedelta(hours=len(had)), state="sent")
        sent = Send.objects.create(edition=edition, origin=origin(), created_at=now, state="submitted")
        for n, article in enumerate(had):
            editions.item(edition=edition, article=article, position=n)
        for n in whose:
            deliveries.delivery(send=sent, subscriber=readers[n], ordinal=n + 1, state="accepted", answered_at=now)
        Batch.objects.filter(send=sent).update(state="done")
    edition = editions.composed(newsletter=newsletter, slot_at=now + timedelta(minutes=18), now=now)
    return deliveries.send(edition=edition, now=timezone.now() - timedelta(seconds=1))


def origin() -> Origin:
    return Origin.objects.create(id=send.fresh_origin_id(), kind=Origin.Kind.EDITION, started_at=timezone.now())


def order(message: bytes) -> list[str]:
    """The stories of a message as they stand in its text, and its subject."""
    parsed = message_from_bytes(message, policy=policy.default)
    body = parsed.get_body(("plain",))
    assert body is not None
    return [parsed["Subject"], *re.findall(r"^(\w+) news\r?$", body.get_content(), re.MULTILINE)]


def handed_over(post: Post) -> dict[str, bytes]:
    found = {message_from_bytes(m, policy=policy.default)["To"].partition("@")[0]: m for m in post.messages}
    assert len(found) == len(post.messages)
    return found


def take(going: Send, post: Post, here: Config) -> None:
    with contextlib.suppress(Killed):
        batch.submit(batch_id=going.batches.get().id, config=here, now=timezone.now(), channel=post)


def test_each_reader_gets_their_own_order_without_what_they_had(choosing: Send, here: Config) -> None:
    post = Post()
    take(choosing, post, here)
    assert {name: order(message) for name, message in handed_over(post).items()} == {
        "r0": ["World news", "World", "Africa", "Asia"],
        "r1": ["World news", "World", "Asia", "Africa"],
        "r2": ["World news", "World", "Africa"],
        "r4": ["World news", "World", "Africa"],
    }
    choosing.refresh_from_db()
    assert choosing.state == Send.State.SUBMITTED


def test_a_reader_who_had_all_of_it_is_not_written_to_and_the_row_says_why(choosing: Send, here: Config) -> None:
    take(choosing, Post(), here)
    row = choosing.deliveries.get(address="r3@example.org")
    assert (row.state, row.reason) == ("suppressed", "nothing_new")
    assert set(choosing.deliveries.exclude(id=row.id).values_list("state", flat=True)) == {"accepted"}


@pytest.mark.parametrize("at", range(4))
def test_after_a_death_each_reader_gets_the_copy_they_would_have_had(choosing: Send, here: Config, at: int) -> None:
    edition = Edition.objects.select_related("rendering", "newsletter", "send").get(id=choosing.edition_id)
    rows = list(choosing.deliveries.exclude(address="r3@example.org"))
    wanted = choices.chosen(edition, batch_id=choosing.batches.get().id)
    compose = mail.composer(edition, config=here, now=timezone.now(), chosen=wanted)
    expected = {row.address.partition("@")[0]: undated(compose(row.ordinal, row.address)[1]) for row in rows}
    first, second = Post(die_before_dot=at), Post()
    take(choosing, first, here)
    subscribe.leave(
        subscriber_id=choosing.deliveries.get(address="r1@example.org").subscriber_id,
        topic_id=audience.topic(slug="asia").id, origin="test", now=timezone.now(),
    )  # fmt: skip
    lapse()
    take(choosing, second, here)
    got = handed_over(Post(messages=first.messages + second.messages))
    assert {name: undated(message) for name, message in got.items()} == expected


def undated(message: bytes) -> bytes:
    return re.sub(rb"^Date: [^\r]*\r\n", b"", message, count=1, flags=re.MULTILINE)


def test_the_web_view_of_each_reader_is_the_message_that_reader_got(
    choosing: Send, here: Config, client: Client
) -> None:
    post = Post()
    take(choosing, post, here)
    for message in handed_over(post).values():
        body = message_from_bytes(message, policy=policy.default).get_body(("html",))
        assert body is not None
        markup = body.get_content().replace("\r\n", "\n")
        (address,) = set(re.findall(r"/v/([\w-]{26})", markup))
        assert client.get(f"/v/{address}").content.decode() == markup
