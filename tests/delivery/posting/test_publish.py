"""Posts placed once on a network that stores them and hangs up, for two workers, and across deaths."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from pipeline.articles.models import Article
from pipeline.channels.base import Channel, Message, Permanent, Published, RateLimited, Temporary, Unknown
from pipeline.channels.social.fake import Agora
from pipeline.channels.social.x import Credentials, X
from pipeline.delivery.posting import access
from pipeline.delivery.posting.access import channel_of
from pipeline.delivery.posting.claim import LEASE_S
from pipeline.delivery.posting.publish import MOST_TRIES, publish
from pipeline.delivery.posting.reconcile import ABSENT_TIMES, LOOK_AGAIN
from pipeline.demo.world.network import PretendNetwork
from pipeline.kernel.config import config
from pipeline.kernel.secrets import Sealed, seal
from pipeline.posts.compose import compose
from pipeline.posts.models import Account, Post
from tests.factories import articles, posts, sources

pytestmark = pytest.mark.django_db
KEYS = {"token": "agora-token"}


@pytest.fixture
def network() -> Iterator[PretendNetwork]:
    server = PretendNetwork()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def account(network: PretendNetwork, db: None) -> Account:
    return connected(network.url)


def connected(url: str) -> Account:
    made = posts.account(handle="dispatch", base_url=url, now=timezone.now())
    made.credentials = seal(KEYS, secrets=[config().secret_key], bound_to=str(made))
    made.save()
    return made


def due(count: int = 1) -> list[Post]:
    """Posts of new stories, composed as the worker does it."""
    now, source = timezone.now(), sources.source()
    for _ in range(count):
        compose(article_id=articles.article(source=source, age_s=5, now=now).id, now=now)
    return list(Post.objects.order_by("id"))


def later(seconds: float = 0) -> Any:
    return timezone.now() + timedelta(seconds=seconds)


def until_settled(rows: list[Post], *, most: int = 12, line: Channel | None = None) -> None:
    """Ring for all of them, each time a minute and more later, until nothing is left to do."""
    for turn in range(most):
        for row in rows:
            publish(post_id=row.id, now=later(turn * 1000 + 10), channel=line)
        if not Post.objects.filter(state__in=["due", "sending", "unknown"]).exists():
            return
    pytest.fail(f"still open: {Counter(Post.objects.values_list('state', flat=True))}")


def fresh(post: Post) -> Post:
    post.refresh_from_db()
    return post


def test_a_post_is_placed_and_says_where_it_is(network: PretendNetwork, account: Account) -> None:
    post = due()[0]
    assert publish(post_id=post.id, now=later()) == "posted"
    live = network.posts[0]
    assert (fresh(post).state, post.remote_id, post.remote_url) == (
        "posted",
        live.id,
        f"{network.url}/@dispatch/{live.id}",
    )
    assert live.text == post.variants.get(chosen=True).text
    assert post.posted_at is not None
    assert (post.leased_until, post.fence, post.tries) == (None, 1, 1)
    assert publish(post_id=post.id, now=later()) is None, "and never again"
    assert len(network.posts) == 1


def test_a_worker_that_was_stopped_after_its_claim_places_nothing_another_has_placed(
    network: PretendNetwork, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, fresh_channel = due()[0], access.fresh_channel

    def stopped(*told: Any, **more: Any) -> Channel:
        Post.objects.filter(id=post.id).update(fence=F("fence") + 2, state="posted", remote_id="7", leased_until=None)
        return fresh_channel(*told, **more)

    monkeypatch.setattr(access, "fresh_channel", stopped)
    assert publish(post_id=post.id, now=later()) is None
    assert (network.posts, fresh(post).state, post.remote_id) == ([], "posted", "7")


def test_a_hundred_answers_lost_after_the_post_was_stored_leave_a_hundred_posts(
    network: PretendNetwork, account: Account
) -> None:
    rows, line = due(100), channel_of(account)
    network.commit_then_drop(times=100)
    for row in rows:
        assert publish(post_id=row.id, now=later(), channel=line) == "unknown"
    until_settled(rows, line=line)
    assert len(network.posts) == 100
    assert network.requests["POST /api/accounts/dispatch/posts"] == 100, "nobody asked a second time: they looked"
    assert set(Post.objects.values_list("state", flat=True)) == {"posted"}
    assert {post.id for post in network.posts} == set(Post.objects.values_list("remote_id", flat=True))


def test_a_post_in_doubt_is_looked_for_twice_a_minute_apart_before_it_is_placed_again(
    network: PretendNetwork, account: Account
) -> None:
    post = due()[0]
    Post.objects.update(state="unknown")
    now = later()
    assert publish(post_id=post.id, now=now) == "unknown"
    assert (fresh(post).absent, post.due_at) == (1, now + LOOK_AGAIN)
    assert publish(post_id=post.id, now=now) is None, "a timeline may lag: not before a minute has passed"
    for _ in range(ABSENT_TIMES - 1):
        assert publish(post_id=post.id, now=now + LOOK_AGAIN) == "due"
    assert (fresh(post).code, post.absent, network.posts) == ("was_not_placed", 0, [])
    assert publish(post_id=post.id, now=now + LOOK_AGAIN) == "posted"
    assert len(network.posts) == 1


def test_a_refusal_for_now_is_tried_again_after_the_networks_own_wait(
    network: PretendNetwork, account: Account
) -> None:
    post = due()[0]
    network.refuse(status=429, reason="slow down", retry_after_s=120)
    assert publish(post_id=post.id, now=later()) == "due"
    assert (fresh(post).code, post.params) == ("waiting", {"said": "Agora answered 429: slow down"})
    assert timedelta(seconds=110) < post.due_at - timezone.now() < timedelta(seconds=121)
    assert publish(post_id=post.id, now=later()) is None
    assert publish(post_id=post.id, now=later(121)) == "posted"


def test_a_network_that_stays_away_is_given_up_after_its_tries(network: PretendNetwork, account: Account) -> None:
    post = due()[0]
    network.refuse(times=100)
    until_settled([post])
    assert (fresh(post).state, post.code, post.params["tries"]) == ("held", "gave_up", MOST_TRIES)
    assert network.posts == []


def test_a_network_that_cannot_be_reached_costs_time_only(db: None) -> None:
    connected("http://127.0.0.1:9")
    post = due()[0]
    assert publish(post_id=post.id, now=later()) == "due"
    assert fresh(post).code == "waiting"
    assert timezone.now() < post.due_at


def test_a_text_the_network_does_not_take_is_rejected_in_its_words(network: PretendNetwork, account: Account) -> None:
    post = due()[0]
    network.refuse(status=422, reason="not like this")
    assert publish(post_id=post.id, now=later()) == "rejected"
    assert (fresh(post).code, post.params) == ("refused", {"said": "Agora answered 422: not like this"})


@pytest.mark.parametrize("state", [state for state in Article.State.values if state != "eligible"])
def test_a_post_of_a_withdrawn_story_never_leaves(network: PretendNetwork, account: Account, state: str) -> None:
    post = due()[0]
    Article.objects.update(state=state)
    assert publish(post_id=post.id, now=later()) is None
    assert (fresh(post).state, post.code) == ("cancelled", "story_withdrawn")
    assert network.requests == {}


def test_a_story_killed_while_its_post_was_in_doubt_is_not_placed_again(
    network: PretendNetwork, account: Account
) -> None:
    post = due()[0]
    Post.objects.update(state="unknown")
    Article.objects.update(state="killed")
    until_settled([post])
    assert (fresh(post).state, post.code) == ("cancelled", "story_withdrawn")
    assert network.posts == []


def test_a_story_killed_after_its_post_went_live_is_still_found(network: PretendNetwork, account: Account) -> None:
    post = due()[0]
    network.commit_then_drop()
    publish(post_id=post.id, now=later())
    Article.objects.update(state="killed")
    assert publish(post_id=post.id, now=later(6)) == "posted", "what is live must be known to be taken down"


def test_a_post_that_waited_too_long_is_no_news(network: PretendNetwork, account: Account) -> None:
    post = due()[0]
    assert publish(post_id=post.id, now=post.created_at + timedelta(seconds=account.stale_after_s)) is None
    assert (fresh(post).state, post.code) == ("expired", "stale")
    assert network.requests == {}


@pytest.mark.parametrize("state", ["paused", "broken"])
def test_a_post_waits_while_its_account_does_not_run(network: PretendNetwork, account: Account, state: str) -> None:
    post = due()[0]
    Account.objects.update(state=state)
    assert publish(post_id=post.id, now=later()) is None
    assert fresh(post).state == "due"
    Account.objects.update(state="active")
    assert publish(post_id=post.id, now=later()) == "posted"


@pytest.mark.parametrize("state", ["draft", "posted", "rejected", "held", "expired", "cancelled", "deleted"])
def test_only_what_is_due_or_in_doubt_is_touched(network: PretendNetwork, account: Account, state: str) -> None:
    post = due()[0]
    Post.objects.update(state=state)
    assert publish(post_id=post.id, now=later()) is None
    assert (fresh(post).state, post.fence, network.requests) == (state, 0, {})


def test_a_worker_that_died_in_the_call_is_followed_by_one_that_looks(
    network: PretendNetwork, account: Account
) -> None:
    post = due()[0]
    claimed = publish_and_die(post, network)
    assert claimed == ("sending", True)
    assert publish(post_id=post.id, now=later()) is None, "its lease runs"
    Post.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert publish(post_id=post.id, now=later()) == "posted"
    assert len(network.posts) == 1
    assert network.requests["POST /api/accounts/dispatch/posts"] == 1


class Killed(BaseException):
    """The process ends here."""


def publish_and_die(post: Post, network: PretendNetwork) -> tuple[str, bool]:
    """As kill -9 right after the network stored the post; the row as it stays behind."""
    real = channel_of(post.account)

    class Dying:
        network = "agora"

        def publish(self, message: Message) -> Published:
            real.publish(message)
            raise Killed

        find, delete = real.find, real.delete

    with pytest.raises(Killed):
        publish(post_id=post.id, now=later(), channel=Dying())
    fresh(post)
    lease = (post.leased_until or timezone.now()) - timezone.now()
    return post.state, timedelta(seconds=LEASE_S - 10) < lease <= timedelta(seconds=LEASE_S)


class Answering:
    """A channel that answers as told, and remembers what it was asked."""

    network = "agora"

    def __init__(self, *, place: Exception | None = None, find: Exception | Published | None = None) -> None:
        self._place, self._find = place, find
        self.asked: list[str] = []

    def publish(self, message: Message) -> Published:
        self.asked.append("publish")
        if self._place:
            raise self._place
        return Published("1", None)

    def find(self, message: Message) -> Published | None:
        self.asked.append("find")
        if isinstance(self._find, Exception):
            raise self._find
        return self._find

    def delete(self, remote_id: str) -> None:
        self.asked.append("delete")


@pytest.mark.parametrize(
    ("state", "channel", "ends", "code"),
    [
        ("due", Answering(), "posted", ""),
        ("due", Answering(place=Temporary("away")), "due", "waiting"),
        ("due", Answering(place=RateLimited("slow", retry_after_s=None)), "due", "waiting"),
        ("due", Answering(place=Permanent("no")), "rejected", "refused"),
        ("due", Answering(place=Unknown("cut")), "unknown", "no_answer"),
        ("unknown", Answering(find=Published("7", "https://x.example/7")), "posted", ""),
        ("unknown", Answering(find=None), "unknown", "no_answer"),
        ("unknown", Answering(find=Temporary("away")), "unknown", "waiting"),
        ("unknown", Answering(find=Permanent("not allowed to read")), "held", "cannot_read_back"),
    ],
)  # fmt: skip
def test_each_way_to_fail_has_its_end(state: str, channel: Answering, ends: str, code: str) -> None:
    post = posts.post(article=articles.article(), account=posts.account(now=later()), state=state, now=later(-1))
    assert publish(post_id=post.id, now=later(), channel=channel) == ends
    assert (fresh(post).state, post.code) == (ends, code)
    assert channel.asked == ["find" if state == "unknown" else "publish"], "what is in doubt is never repeated"


def test_an_account_whose_keys_no_longer_open_rejects_what_did_not_leave_and_holds_what_may_have(
    network: PretendNetwork, account: Account
) -> None:
    Account.objects.update(credentials=seal(KEYS, secrets=["another secret key"], bound_to=str(account)))
    new, doubtful = due(2)
    Post.objects.filter(id=doubtful.id).update(state="unknown")
    assert publish(post_id=new.id, now=later()) == "rejected"
    assert publish(post_id=doubtful.id, now=later()) == "held"
    assert fresh(doubtful).code == "cannot_read_back"
    assert "connect the account again" in doubtful.params["said"]


def test_a_stale_worker_records_nothing(network: PretendNetwork, account: Account) -> None:
    post = due()[0]

    class Overtaken(Answering):
        def publish(self, message: Message) -> Published:
            Post.objects.filter(id=post.id).update(fence=9, state="posted", remote_id="theirs")
            raise Permanent("no")

    assert publish(post_id=post.id, now=later(), channel=Overtaken()) is None
    assert (fresh(post).state, post.remote_id) == ("posted", "theirs")


def test_an_account_is_served_by_its_networks_adapter(account: Account) -> None:
    assert isinstance(channel_of(account), Agora)
    other = posts.account(network="x", handle="@x")
    keys = {field.name: "4711-token" for field in fields(Credentials)}
    other.credentials = seal(keys, secrets=[config().secret_key], bound_to=str(other))
    assert isinstance(channel_of(other), X)
    copied = posts.account(handle="@copied", credentials=account.credentials)
    with pytest.raises(Sealed, match="belong to agora/dispatch"):
        channel_of(copied)
    with pytest.raises(Permanent, match="no adapter for myspace"):
        channel_of(posts.account(network="myspace"))


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_wins_each_post(network: PretendNetwork) -> None:
    connected(network.url)
    rows = due(6)
    won: list[str | None] = []
    together = threading.Barrier(4)

    def worker() -> None:
        try:
            together.wait()
            for row in rows:
                won.append(publish(post_id=row.id, now=later()))
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(won) == {"posted": 6, None: 18}
    assert network.requests["POST /api/accounts/dispatch/posts"] == 6
