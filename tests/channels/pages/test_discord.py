"""Discord: webhook and bot, mentions, pictures, limits. What all networks promise is in tests/contracts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest

from pipeline.channels.base import (
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
from pipeline.channels.pages.discord import Credentials, Discord

Script: TypeAlias = Any  # conftest.Script, which a test module cannot import
MESSAGE = Message(key="k", text="Ferries run @everyone", marker="https://go.example.org/c/p1")
HOOK = "https://discord.com/api/webhooks/99/t0k"
NOON = "Mon, 23 Nov 2026 12:00:00 GMT"


def channel(script: Script, **keys: str) -> Discord:
    given = Credentials(**{"webhook": HOOK, **keys})
    return Discord(credentials=given, base_url=script.url, timeout_s=(2.0, 2.0))


@pytest.mark.parametrize(
    "webhook", [HOOK, f"{HOOK}/", f"{HOOK}?wait=true", "99/t0k", "https://discord.com/api/v10/webhooks/99/t0k"]
)
def test_a_webhook_may_be_given_as_discord_shows_it(webhook: str) -> None:
    keys = Credentials(webhook=webhook)
    assert (keys.place, keys.hook_id) == ("99/t0k", "99")
    assert "t0k" not in repr(keys)


def test_a_headline_rings_nobody_and_the_number_is_waited_for(script: Script) -> None:
    script.say((200, {"id": "7", "channel_id": "3"}))
    placed = channel(script, server="5").publish(MESSAGE)
    assert script.heard[0].path == "/api/v10/webhooks/99/t0k?wait=true"
    assert script.heard[0].json == {"content": "Ferries run @everyone", "allowed_mentions": {"parse": []}}
    assert placed.url == "https://discord.com/channels/5/3/7"


def test_without_the_servers_number_there_is_no_address(script: Script) -> None:
    script.say((200, {"id": "7", "channel_id": "3"}))
    assert channel(script).publish(MESSAGE).url is None


def test_pictures_carry_their_words(script: Script) -> None:
    script.say((200, {"id": "7"}))
    picture = Picture(content=b"\x89PNG", media_type="image/png", alt="A ferry")
    channel(script).publish(Message(key="k", text="t", marker="m", pictures=(picture,)))
    parts = (b"\x89PNG", b'"description": "A ferry"', b'name="files[0]"; filename="picture-0.png"', b'"parse": []')
    assert all(part in script.heard[0].body for part in parts)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, {"message": "Invalid Form Body", "code": 50035}), Permanent),
        ((401, {"message": "401: Unauthorized", "code": 0}), Unauthorised),
        ((404, {"message": "Unknown Webhook", "code": 10015}), Unauthorised),
        ((429, {"message": "You are being rate limited.", "retry_after": 0.65, "global": False}), RateLimited),
        ((500, {}), Unknown),
        ((502, b"<html>"), Unknown),
        ((200, {}), Unknown),
        ((204, b""), Unknown),
    ],
)
def test_an_answer_to_a_post_means(script: Script, answer: Any, error: type[Exception]) -> None:
    script.say(answer)
    with pytest.raises(error) as raised:
        channel(script).publish(MESSAGE)
    assert "t0k" not in str(raised.value)


def test_patience_is_told_to_the_fraction_and_whose_it_is(script: Script) -> None:
    script.say((429, {"retry_after": 0.65, "global": True}))
    with pytest.raises(RateLimited) as limited:
        channel(script).publish(MESSAGE)
    assert (limited.value.retry_after_s, limited.value.scope) == (0.65, "app")


def test_what_is_left_of_the_window_is_told_by_every_answer(script: Script) -> None:
    script.say((200, {"id": "7"}, {"Date": NOON, "X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "1.5"}))
    account = channel(script)
    account.publish(MESSAGE)
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert account.limits == Limits(remaining=4, reset_at=noon + timedelta(seconds=1.5))


def test_a_webhook_alone_cannot_look_back(script: Script) -> None:
    with pytest.raises(Permanent, match="add a bot"):
        channel(script).find(MESSAGE)
    assert script.heard == []


def test_only_what_our_webhook_posted_is_found(script: Script) -> None:
    copied = {"id": "8", "content": f"look {MESSAGE.marker}", "webhook_id": "55"}
    quoted = {"id": "9", "content": f"look {MESSAGE.marker}"}
    script.say((200, [copied, quoted]))
    assert channel(script, bot_token="bt", channel="3").find(MESSAGE) is None
    assert script.heard[0].headers["Authorization"] == "Bot bt"


@pytest.mark.parametrize("body", [b"not json", {}, {"messages": []}])
def test_a_channel_that_gave_no_history_was_not_read(script: Script, body: Any) -> None:
    script.say((200, body))
    with pytest.raises(Temporary):
        channel(script, bot_token="bt", channel="3").find(MESSAGE)


def test_words_are_edited_read_and_counted(script: Script) -> None:
    gone = (404, {"message": "Unknown Message", "code": 10008})
    live = {"id": "7", "content": "Ferries", "reactions": [{"count": 3}, {"count": 2}]}
    script.say((200, {"id": "7", "channel_id": "3"}), (200, live), gone, (200, live), gone)
    account = channel(script)
    account.edit("7", MESSAGE)
    assert (script.heard[0].method, script.heard[0].path) == ("PATCH", "/api/v10/webhooks/99/t0k/messages/7")
    assert script.heard[0].json["allowed_mentions"] == {"parse": []}
    assert account.read("7") == "Ferries"
    assert account.read("8") is None
    assert account.metrics(["7", "8"]) == {"7": Metrics(likes=5)}


def test_an_edit_of_what_is_gone_says_so(script: Script) -> None:
    script.say((404, {"message": "Unknown Message", "code": 10008}))
    with pytest.raises(Gone):
        channel(script).edit("7", MESSAGE)


def test_a_message_is_not_called_removed_because_its_webhook_is(script: Script) -> None:
    script.say((404, {"message": "Unknown Webhook", "code": 10015}))
    with pytest.raises(Permanent):
        channel(script).delete("7")
