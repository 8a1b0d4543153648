"""Where a network makes a post in two steps, its draft is kept between them, and no second is made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.delivery.posting.claim import LEASE_S
from pipeline.delivery.posting.publish import publish
from pipeline.posts.models import Part, Post, Variant
from tests.factories import articles, posts
from tests.factories.meta_stages import ThreadsServer

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
MARKER = "https://go.example.org/c/1"


@pytest.fixture
def network() -> Iterator[ThreadsServer]:
    with ThreadsServer() as started:
        assert isinstance(started, ThreadsServer)
        yield started


def due(*further: str) -> Post:
    owner = posts.account(network="threads", now=NOW)
    words = f"Port reopens {MARKER}"
    made = posts.post(article=articles.article(now=NOW), account=owner, text=words, marker=MARKER, state="due", now=NOW)
    Variant.objects.filter(post=made).update(parts=list(further))
    return made


def rung(post: Post, network: ThreadsServer, *, times: int = 6) -> str:
    for turn in range(times):
        publish(post_id=post.id, now=NOW + timedelta(minutes=3 * turn), channel=network.channel())
    post.refresh_from_db()
    return post.state


@pytest.mark.parametrize("further", [(), ("Fares stay. 2/2",)])
def test_a_draft_is_kept_and_published(network: ThreadsServer, further: tuple[str, ...]) -> None:
    post = due(*further)
    assert rung(post, network, times=1) == "posted"
    assert list(Part.objects.order_by("number").values_list("container", flat=True)) == list(network.containers)
    assert len(network.posts) == len(network.containers) == 1 + len(further)


def test_a_worker_that_dies_between_the_steps_leaves_a_draft_that_is_published(network: ThreadsServer) -> None:
    class Killed(BaseException):
        pass

    class Dying:
        """The adapter of a worker that is killed as soon as the draft's number is kept."""

        network = "threads"
        limits = None

        def __getattr__(self, name: str) -> object:
            return getattr(line, name)

        def publish(self, message: object) -> None:
            raise Killed

    line, post = network.channel(), due()
    with pytest.raises(Killed):
        publish(post_id=post.id, now=NOW, channel=Dying())  # type: ignore[arg-type]
    assert Part.objects.get().container == "c0"
    Post.objects.update(leased_until=NOW - timedelta(seconds=LEASE_S))
    assert rung(post, network) == "posted"
    assert list(network.containers) == ["c0"]
    assert len(network.posts) == 1


@pytest.mark.parametrize("fault", ["drop before", "drop after", "500"])
def test_a_lost_publication_is_settled_with_the_same_draft(network: ThreadsServer, fault: str) -> None:
    post, network.fault = due(), fault
    assert rung(post, network) == "posted"
    assert list(network.containers) == ["c0"]
    assert len(network.posts) == 1


def test_a_draft_that_was_published_unseen_is_no_second_post(network: ThreadsServer) -> None:
    """The profile did not show it in time: the draft itself says that it is out."""
    post, network.fault = due(), "drop after"
    rung(post, network, times=1)
    hidden, network.posts = network.posts, []
    assert rung(post, network, times=4) == "unknown"
    network.posts = hidden
    post.refresh_from_db()
    assert publish(post_id=post.id, now=NOW + timedelta(hours=1), channel=network.channel()) == "posted"
    assert list(network.containers) == ["c0"]


def test_a_draft_that_expired_is_made_anew(network: ThreadsServer) -> None:
    post, network.fault = due(), "drop before"
    rung(post, network, times=1)
    network.containers.clear()
    assert rung(post, network) == "posted"
    assert len(network.posts) == 1
