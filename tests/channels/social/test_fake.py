"""The client of the pretend network against the pretend network itself, as the demo runs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.channels.base import Message, Permanent, Picture, RateLimited, Temporary, Unknown
from pipeline.channels.social.fake import Agora
from pipeline.demo.world.network import PretendNetwork

MESSAGE = Message(key="post-1", text="Ferries run https://go.example.org/s/p1", marker="https://go.example.org/s/p1")


@pytest.fixture
def network() -> Iterator[PretendNetwork]:
    started = PretendNetwork()
    started.start()
    yield started
    started.stop()


@pytest.fixture
def account(network: PretendNetwork) -> Iterator[Agora]:
    with Agora(base_url=network.url, handle="harbour.post", token="t0ken", timeout_s=(2.0, 2.0)) as opened:
        yield opened


def test_a_post_goes_live_with_its_picture_and_language(network: PretendNetwork, account: Agora) -> None:
    picture = Picture(content=b"\x89PNG", media_type="image/png", alt="A ferry")
    placed = account.publish(
        Message(key="k", text="Fähren fahren https://a.example/1", marker="x", language="de", pictures=(picture,))
    )
    (post,) = network.posts
    assert (post.id, post.handle, post.language) == (placed.remote_id, "harbour.post", "de")
    assert (post.pictures[0].content, post.pictures[0].alt) == (b"\x89PNG", "A ferry")
    assert placed.url == f"{network.url}/@harbour.post/{post.id}"


def test_a_lost_answer_is_unknown_found_and_harmless_to_repeat(network: PretendNetwork, account: Agora) -> None:
    network.commit_then_drop()
    with pytest.raises(Unknown):
        account.publish(MESSAGE)
    found = account.find(MESSAGE)
    assert found == account.publish(MESSAGE)
    assert len(network.posts) == 1


def test_over_capacity_is_temporary_and_stores_nothing(network: PretendNetwork, account: Agora) -> None:
    network.refuse()
    with pytest.raises(Temporary):
        account.publish(MESSAGE)
    assert network.posts == []


def test_patience_is_told_in_seconds(network: PretendNetwork, account: Agora) -> None:
    network.refuse(status=429, retry_after_s=12)
    with pytest.raises(RateLimited) as limited:
        account.publish(MESSAGE)
    assert limited.value.retry_after_s == 12


def test_a_text_too_long_is_permanent_and_says_why(account: Agora) -> None:
    with pytest.raises(Permanent, match="501 characters"):
        account.publish(Message(key="k", text="a" * 501, marker="m"))


def test_another_accounts_token_is_permanent(network: PretendNetwork, account: Agora) -> None:
    account.publish(MESSAGE)
    with (
        Agora(base_url=network.url, handle="harbour.post", token="other") as stranger,
        pytest.raises(Permanent),
    ):
        stranger.publish(MESSAGE)


def test_a_deleted_post_is_gone(network: PretendNetwork, account: Agora) -> None:
    placed = account.publish(MESSAGE)
    account.delete(placed.remote_id)
    account.delete(placed.remote_id)
    assert network.posts == []
    assert account.find(MESSAGE) is None
