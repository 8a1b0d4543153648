"""What Mastodon's answers mean, one by one, and a day on mastodon_mock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from pipeline.channels.base import (
    Capacity,
    Gone,
    Limits,
    Message,
    Metrics,
    Permanent,
    Picture,
    RateLimited,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.social.mastodon import Mastodon, connect
from tests.factories.scripted import Script

LINK = "https://go.example.org/s/p1"
MESSAGE = Message(key="post-1", text=f"Fähren & <b> {LINK}", marker=LINK, language="de-AT")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
DONE = {"id": "9", "url": "https://a.example/@h/9", "content": "<p>x</p>"}
NOON = "Mon, 23 Nov 2026 12:00:00 GMT"


def account(script: Script) -> Mastodon:
    return Mastodon(base_url=script.url, token="t0ken", timeout_s=(2.0, 2.0))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"error": "The access token is invalid"}, Unauthorised),
        (403, {"error": "This action is outside the authorized scopes"}, Unauthorised),
        (404, {"error": "The post you are trying to reply to does not appear to exist."}, Gone),
        (408, {}, Unknown),
        (409, {}, Unknown),
        (413, b"<html>", Permanent),
        (422, {"error": "Validation failed: Text character limit of 500 exceeded"}, Permanent),
        (429, {"error": "Too many requests"}, RateLimited),
        (500, {}, Unknown),
        (502, b"<html>bad gateway</html>", Unknown),
        (503, {}, Unknown),
        (307, {}, Permanent),
        (200, b"not json", Unknown),
        (200, {}, Unknown),
        (200, [], Unknown),
    ],
)
def test_answer_to_a_post_means(script: Script, status: int, body: Any, error: type[Exception]) -> None:
    script.answers = [(status, body, {"Location": "/elsewhere"} if status == 307 else {})]
    with pytest.raises(error) as raised:
        account(script).publish(MESSAGE)
    assert raised.type is error
    assert len(script.heard) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(401, {}, Unauthorised), (429, {}, RateLimited), (500, {}, Temporary), (200, b"no", Temporary), (422, {}, Permanent)],
)  # fmt: skip
def test_answer_to_a_look_means(script: Script, status: int, body: Any, error: type[Exception]) -> None:
    script.answers = [(status, body, {})]
    with pytest.raises(error):
        account(script).find(MESSAGE)


def test_a_limit_that_nobody_can_read_leaves_a_taken_post_unknown_not_lost(script: Script) -> None:
    """Mastodon.py takes a reset it cannot read for a limit that was hit, though the post is live."""
    script.answers = [(200, DONE, {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "soon"})]
    with pytest.raises(Unknown):
        account(script).publish(MESSAGE)


def test_a_post_goes_out_with_its_key_its_language_and_what_it_answers(script: Script) -> None:
    script.answers = [(200, DONE, {})]
    message = Message(key="post-1", text="a", marker="m", language="de-AT", reply_to="8")
    assert account(script).publish(message).url == DONE["url"]
    assert script.headers[0]["Idempotency-Key"] == "post-1"
    sent = parse_qs(script.heard[0][2].decode())
    assert (sent["status"], sent["language"], sent["in_reply_to_id"]) == (["a"], ["de"], ["8"])


def test_limits_are_told_by_headers(script: Script) -> None:
    headers = {"X-RateLimit-Remaining": "299", "X-RateLimit-Reset": "2126-11-23T12:05:00.000000Z"}
    script.answers = [(200, DONE, headers)]
    channel = account(script)
    channel.publish(MESSAGE)
    assert channel.limits == Limits(299, datetime(2126, 11, 23, 12, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Date": NOON, "X-RateLimit-Reset": "2026-11-23T12:01:30.123456Z"}, 90.1),
        ({"Date": NOON, "Retry-After": "12"}, 12),
        ({"Date": NOON}, None),
    ],
)
def test_patience_is_told_in_seconds(script: Script, headers: dict[str, str], seconds: float | None) -> None:
    script.answers = [(429, {"error": "Too many requests"}, headers)]
    with pytest.raises(RateLimited) as limited:
        account(script).publish(MESSAGE)
    assert limited.value.retry_after_s == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    "content",
    [
        f'<p>Fähren <a href="{LINK}"><span class="invisible">https://</span>go.example.org</a></p>',
        f"<p>see {LINK}</p>",
        f'<p><a href="{LINK}?a=1&amp;b=2">x</a></p>',
    ],
)
def test_the_marker_is_found_wherever_mastodon_keeps_it(script: Script, content: str) -> None:
    script.answers = [
        (200, {"id": "77"}, {}),
        (200, [{**DONE, "id": "10", "content": f"<p>{LINK}2</p>"}, {**DONE, "content": content}], {}),
    ]
    found = account(script).find(MESSAGE)
    assert found
    assert found.remote_id == "9"


def test_a_picture_that_is_still_worked_on_posts_nothing(script: Script) -> None:
    script.answers = [(202, {"id": "5", "url": None}, {})]
    picture = Picture(content=PNG, media_type="image/png", alt="A ferry")
    with pytest.raises(Temporary):
        account(script).publish(Message(key="k", text="t", marker="m", pictures=(picture,)))
    assert [path for _, path, _ in script.heard] == ["/api/v2/media"]


def test_an_older_instance_is_measured_post_by_post(script: Script) -> None:
    counted = {**DONE, "favourites_count": 3, "reblogs_count": 2, "quotes_count": 1, "replies_count": 4}
    script.answers = [(404, {}, {}), (200, counted, {}), (404, {}, {})]
    assert account(script).metrics(["9", "10"]) == {"9": Metrics(likes=3, reposts=3, replies=4)}


def test_an_edit_of_a_post_that_is_gone_says_so(script: Script) -> None:
    script.answers = [(404, {"error": "Record not found"}, {})]
    with pytest.raises(Gone):
        account(script).edit("9", MESSAGE)


@pytest.mark.parametrize(
    ("handle", "base_url", "leads_to"),
    [
        ("@desk@social.example", "", "https://social.example"),
        ("desk@social.example", "", "https://social.example"),
        ("desk", "https://m.example", "https://m.example"),
    ],
)
def test_an_instance_is_named_by_the_handle_or_the_address(handle: str, base_url: str, leads_to: str) -> None:
    opened = connect(keys={"access_token": "t"}, handle=handle, base_url=base_url)
    assert opened._client.api_base_url == leads_to


def test_a_handle_without_an_instance_is_permanent() -> None:
    with pytest.raises(Permanent):
        connect(keys={"access_token": "t"}, handle="desk", base_url="")


@pytest.fixture(scope="module")
def instance() -> Iterator[str]:
    server = pytest.importorskip("mastodon_mock.testing.server", reason="needs mastodon_mock")
    with server.MockServer() as started:
        yield started.base_url


@pytest.fixture
def alice(instance: str) -> Mastodon:
    return Mastodon(base_url=instance, token="alice_token")


@pytest.mark.journey
def test_a_post_lives_is_edited_answered_measured_and_deleted(alice: Mastodon, instance: str) -> None:
    picture = Picture(content=PNG, media_type="image/png", alt="A ferry")
    message = Message(key="post-1", text=MESSAGE.text, marker=LINK, pictures=(picture,))
    placed = alice.publish(message)
    assert alice.publish(message) == placed
    assert alice.find(message) == placed
    assert alice.read(placed.remote_id) == message.text

    corrected = Message(key="post-2", text=f"Correction: no ferries {LINK}", marker=LINK)
    assert alice.edit(placed.remote_id, corrected).remote_id == placed.remote_id
    assert alice.read(placed.remote_id) == corrected.text
    assert [media["description"] for media in alice._client.status(placed.remote_id)["media_attachments"]] == [
        "A ferry"
    ]
    assert len(alice._client.status_history(placed.remote_id)) == 2

    reply = Message(key="post-3", text="Correction", marker="c", reply_to=placed.remote_id)
    answer = Mastodon(base_url=instance, token="bob_token").publish(reply)
    assert alice.metrics([placed.remote_id, answer.remote_id]) == {
        placed.remote_id: Metrics(likes=0, reposts=0, replies=1),
        answer.remote_id: Metrics(likes=0, reposts=0, replies=0),
    }
    for _ in range(2):
        alice.delete(placed.remote_id)
    assert alice.find(message) is None
    assert alice.read(placed.remote_id) is None


@pytest.mark.journey
def test_an_instance_tells_its_own_limits(alice: Mastodon) -> None:
    assert alice.capacity() == Capacity(limit=500, link_length=23)
    with pytest.raises(Permanent, match="too long"):
        alice.publish(Message(key="long", text="a" * 501, marker="m"))
