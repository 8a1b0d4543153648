"""Other programs hear of what left, who joined and who went; nobody is named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from pipeline.audience import subscribe
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.delivery.posting.publish import publish
from pipeline.delivery.send import finish
from pipeline.hooks.models import Notice
from pipeline.hooks.tell import open_hook
from tests.delivery.course.conftest import Begin, begun
from tests.factories import articles, audience, posts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
__all__ = ["begun"]


def hear(*events: str) -> None:
    open_hook(url="https://hear.example.org/", events=events, name="hear", now=NOW)


def heard() -> list[tuple[str, dict[str, object]]]:
    return [(one.event, one.body) for one in Notice.objects.order_by("id")]


def test_an_edition_that_has_left_is_told_once(begun: Begin) -> None:
    hear("edition.sent")
    send = begun(readers=3)
    Delivery.objects.update(state="accepted")
    Batch.objects.update(state="done")
    assert finish(send_id=send.id, now=timezone.now())
    assert not finish(send_id=send.id, now=timezone.now())
    [(event, body)] = heard()
    assert (event, body["newsletter"], body["recipients"]) == ("edition.sent", "morning-brief", 3)
    assert Send.objects.get().state == "submitted"


def test_joining_and_leaving_are_told_without_a_name() -> None:
    hear("reader.joined", "reader.left")
    topic = audience.topic()
    reader = subscribe.ask(address="cleo@example.org", topic=topic, origin="form", now=NOW)
    for _ in range(2):
        subscribe.confirm(subscriber_id=reader.id, topic_id=topic.id, origin="letter", now=NOW)
    for _ in range(2):
        subscribe.leave(subscriber_id=reader.id, topic_id=topic.id, origin="one-click", now=NOW)
    assert [event for event, _ in heard()] == ["reader.joined", "reader.left"]
    assert all(body["topic"] == topic.slug and "cleo" not in str(body) for _, body in heard())


def test_a_post_that_stands_is_told_with_its_address() -> None:
    hear("post.posted")
    account = posts.account(network="mastodon", now=NOW)
    post = posts.post(article=articles.article(now=NOW), account=account, text="Port reopens", state="due", now=NOW)
    assert publish(post_id=post.id, now=NOW, channel=posts.Network()) == "posted"
    [(event, body)] = heard()
    assert (event, body["network"], body["article"]) == ("post.posted", "mastodon", post.article_id)
