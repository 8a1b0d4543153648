"""Slack: entities, metadata, webhooks, errors inside a 200. What all networks promise is in tests/contracts."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels.base import Message, Metrics, Permanent, Picture, RateLimited, Temporary, Unauthorised, Unknown
from pipeline.channels.pages.slack import Credentials, Slack, SlackHook, connect, marked, plain

Script: TypeAlias = Any  # conftest.Script, which a test module cannot import
MESSAGE = Message(key="dateline-7", text="Ferries & <trains> run", marker="https://go.example.org/c/p1")


def channel(script: Script) -> Slack:
    given = Credentials(token="xoxb-1", channel="C0123")
    return Slack(credentials=given, base_url=script.url, timeout_s=(2.0, 2.0))


def hook(script: Script) -> SlackHook:
    return SlackHook(url=f"{script.url}/services/T0/B0/s3cret", timeout_s=(2.0, 2.0))


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        ("see <https://a.example/1>", "see https://a.example/1"),
        ("see <https://a.example/1|a.example/1> now", "see https://a.example/1 now"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<https://a.example/1?x=1&amp;y=2>", "https://a.example/1?x=1&y=2"),
    ],
)
def test_slacks_marks_are_taken_away(kept: str, read: str) -> None:
    assert plain(kept) == read


@given(st.text())
def test_what_readers_see_is_what_was_written(text: str) -> None:
    assert plain(marked(text)) == text


def test_a_post_is_plain_unfurls_nothing_and_carries_its_key(script: Script) -> None:
    script.say((200, {"ok": True, "channel": "C0123", "ts": "1.2"}))
    channel(script).publish(Message(key="dateline-7", text="a & b", marker="m", reply_to="1.1"))
    assert script.heard[0].json == {
        "channel": "C0123",
        "text": "a &amp; b",
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": "dateline_post", "event_payload": {"key": "dateline-7"}},
        "thread_ts": "1.1",
    }


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, {"ok": False, "error": "channel_not_found"}), Permanent),
        ((200, {"ok": False, "error": "msg_too_long"}), Permanent),
        ((200, {"ok": False, "error": "invalid_auth"}), Unauthorised),
        ((200, {"ok": False, "error": "token_revoked"}), Unauthorised),
        ((200, {"ok": False, "error": "fatal_error"}), Unknown),
        ((200, {"ok": False, "error": "internal_error"}), Unknown),
        ((200, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"}), RateLimited),
        ((429, b"", {"Retry-After": "30"}), RateLimited),
        ((200, b"not json"), Unknown),
        ((200, {"ok": True}), Unknown),
        ((500, {}), Unknown),
        ((503, {"ok": False, "error": "service_unavailable"}), Unknown),
    ],
)
def test_an_answer_to_a_post_means(script: Script, answer: Any, error: type[Exception]) -> None:
    script.say(answer)
    with pytest.raises(error):
        channel(script).publish(MESSAGE)


def test_a_post_is_found_by_its_key_alone(script: Script) -> None:
    ours = {"event_type": "dateline_post", "event_payload": {"key": "dateline-7"}}
    strange = {"event_type": "other", "event_payload": {"key": "dateline-7"}}
    script.say((200, {"ok": True, "messages": [{"ts": "1", "metadata": strange}, {"ts": "2", "metadata": ours}]}))
    found = channel(script).find(MESSAGE)
    assert found
    assert found.remote_id == "2"
    assert "include_all_metadata=true" in script.heard[0].path


def test_a_reader_who_quotes_our_link_is_not_us(script: Script) -> None:
    quoted = {"ts": "3", "user": "U1", "text": f"look <{MESSAGE.marker}>"}
    script.say((200, {"ok": True, "messages": [quoted, {**quoted, "ts": "2", "bot_id": "B1"}]}))
    found = channel(script).find(MESSAGE)
    assert found
    assert found.remote_id == "2"


def test_words_are_edited_and_read_and_counted(script: Script) -> None:
    live = {"ts": "1.2", "text": "a &amp; b", "reactions": [{"count": 2}, {"count": 1}], "reply_count": 4}
    other = (200, {"ok": True, "messages": [{"ts": "1.1", "text": "older"}]})
    script.say(
        (200, {"ok": True}), (200, {"ok": True, "messages": [live]}), other, (200, {"ok": True, "messages": [live]})
    )
    account = channel(script)
    account.edit("1.2", MESSAGE)
    assert script.heard[0].json["text"] == "Ferries &amp; &lt;trains&gt; run"
    assert account.read("1.2") == "a & b"
    assert account.read("9.9") is None
    assert account.metrics(["1.2"]) == {"1.2": Metrics(likes=3, replies=4)}


def test_a_channel_that_cannot_be_read_now_is_temporary(script: Script) -> None:
    script.say((200, {"ok": False, "error": "internal_error"}))
    with pytest.raises(Temporary):
        channel(script).find(MESSAGE)


def test_pictures_are_refused_before_anything_is_sent(script: Script) -> None:
    picture = Picture(content=b"x", media_type="image/png", alt="")
    for account in (channel(script), hook(script)):
        with pytest.raises(Permanent):
            account.publish(Message(key="k", text="t", marker="m", pictures=(picture,)))
    assert script.heard == []


def test_a_webhook_posts_and_can_do_nothing_else(script: Script) -> None:
    script.say((200, b"ok"))
    account = hook(script)
    assert account.publish(MESSAGE).url is None
    assert script.heard[0].path == "/services/T0/B0/s3cret"
    for act in (lambda: account.find(MESSAGE), lambda: account.delete("1")):
        with pytest.raises(Permanent):
            act()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((404, b"no_service"), Unauthorised),
        ((400, b"invalid_payload"), Permanent),
        ((410, b"channel_is_archived"), Permanent),
        ((429, b"", {"Retry-After": "1"}), RateLimited),
        ((500, b"rollup_error"), Unknown),
    ],
)
def test_an_answer_to_a_webhook_means(script: Script, answer: Any, error: type[Exception]) -> None:
    script.say(answer)
    with pytest.raises(error) as raised:
        hook(script).publish(MESSAGE)
    assert "s3cret" not in str(raised.value)


def test_the_keys_decide_which_way_out_is_taken() -> None:
    assert isinstance(connect(keys={"token": "t", "channel": "C"}, handle="", base_url=""), Slack)
    assert isinstance(
        connect(keys={"webhook": "https://hooks.slack.com/services/x"}, handle="", base_url=""), SlackHook
    )
    assert "xoxb-1" not in repr(Credentials(token="xoxb-1", channel="C"))
