"""Telegram: what its answers mean, captions, addresses. What all networks promise is in tests/contracts."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest

from pipeline.channels.base import (
    Card,
    Gone,
    Message,
    Permanent,
    Picture,
    RateLimited,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.pages.telegram import Credentials, Telegram

Script: TypeAlias = Any  # conftest.Script, which a test module cannot import
MESSAGE = Message(key="k", text="Ferries run", marker="https://go.example.org/c/p1")
PLACED = {"ok": True, "result": {"message_id": 7, "chat": {"id": -1001234, "username": "harbour"}}}


def chat(script: Script, name: str = "@harbour") -> Telegram:
    return Telegram(credentials=Credentials(token="1:t0k", chat=name), base_url=script.url, timeout_s=(2.0, 2.0))


def no(code: int, said: str, **parameters: Any) -> tuple[int, Any]:
    return code, {"ok": False, "error_code": code, "description": said, "parameters": parameters}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (no(400, "Bad Request: chat not found"), Permanent),
        (no(400, "Bad Request: message is too long"), Permanent),
        (no(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1009), Permanent),
        (no(401, "Unauthorized"), Unauthorised),
        (no(403, "Forbidden: bot was kicked from the channel chat"), Permanent),
        (no(404, "Not Found"), Unauthorised),
        (no(429, "Too Many Requests: retry after 12", retry_after=12), RateLimited),
        (no(500, "Internal Server Error"), Unknown),
        ((502, b"<html>"), Unknown),
        ((200, b"not json"), Unknown),
        ((200, {"ok": True, "result": {}}), Unknown),
        ((200, {"ok": False}), Unknown),
    ],
)
def test_an_answer_to_a_post_means(script: Script, answer: tuple[int, Any], error: type[Exception]) -> None:
    script.say(answer)
    with pytest.raises(error) as raised:
        chat(script).publish(MESSAGE)
    assert "1:t0k" not in str(raised.value)


def test_patience_is_told_in_the_body(script: Script) -> None:
    script.say(no(429, "Too Many Requests: retry after 12", retry_after=12))
    with pytest.raises(RateLimited) as limited:
        chat(script).publish(MESSAGE)
    assert limited.value.retry_after_s == 12


@pytest.mark.parametrize(
    ("name", "told", "url"),
    [
        ("@harbour", {}, "https://t.me/harbour/7"),
        ("-1001234", {"username": "harbour"}, "https://t.me/harbour/7"),
        ("-1001234", {}, "https://t.me/c/1234/7"),
        ("-55", {}, None),
    ],
)
def test_a_post_has_the_address_that_people_can_open(script: Script, name: str, told: Any, url: str | None) -> None:
    script.say((200, {"ok": True, "result": {"message_id": 7, "chat": told}}))
    assert chat(script, name).publish(MESSAGE).url == url


def test_the_card_and_the_answered_post_are_named(script: Script) -> None:
    script.say((200, PLACED))
    card = Card(url="https://go.example.org/c/p1", title="Ferries")
    chat(script).publish(Message(key="k", text="t", marker="m", card=card, reply_to="5"))
    assert script.heard[0].path == "/bot1:t0k/sendMessage"
    assert script.heard[0].json == {
        "chat_id": "@harbour",
        "text": "t",
        "link_preview_options": {"url": card.url, "prefer_large_media": True},
        "reply_parameters": {"message_id": 5},
    }


def test_a_picture_is_posted_with_the_text_below_it(script: Script) -> None:
    script.say((200, PLACED))
    picture = Picture(content=b"\x89PNG", media_type="image/png", alt="A ferry")
    chat(script).publish(Message(key="k", text="Fähren", marker="m", pictures=(picture,)))
    assert script.heard[0].path.endswith("/sendPhoto")
    assert all(part in script.heard[0].body for part in (b"\x89PNG", "Fähren".encode(), b"@harbour"))


def test_a_text_too_long_for_a_picture_is_refused_before_it_is_sent(script: Script) -> None:
    picture = Picture(content=b"x", media_type="image/png", alt="")
    with pytest.raises(Permanent, match="1024"):
        chat(script).publish(Message(key="k", text="\U0001f600" * 513, marker="m", pictures=(picture,)))
    assert script.heard == []


@pytest.mark.parametrize(
    ("answers", "acts"),
    [
        ([(200, PLACED)], ["editMessageText"]),
        ([no(400, "Bad Request: message is not modified: specified new message content")], ["editMessageText"]),
        (
            [no(400, "Bad Request: there is no text in the message to edit"), (200, PLACED)],
            ["editMessageText", "editMessageCaption"],
        ),
    ],
)
def test_words_are_edited_wherever_they_stand(script: Script, answers: list[Any], acts: list[str]) -> None:
    script.say(*answers)
    assert chat(script).edit("7", MESSAGE).remote_id == "7"
    assert [one.path.rpartition("/")[2] for one in script.heard] == acts


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (no(400, "Bad Request: message to edit not found"), Gone),
        (no(400, "Bad Request: message can't be edited"), Permanent),
        (no(500, "Internal Server Error"), Temporary),
    ],
)
def test_an_edit_that_fails_says_how(script: Script, answer: Any, error: type[Exception]) -> None:
    script.say(answer)
    with pytest.raises(error):
        chat(script).edit("7", MESSAGE)


def test_a_post_that_the_bot_may_not_remove_is_not_called_removed(script: Script) -> None:
    script.say(no(400, "Bad Request: message can't be deleted"))
    with pytest.raises(Permanent):
        chat(script).delete("7")


def test_secrets_are_not_shown() -> None:
    assert "1:t0k" not in repr(Credentials(token="1:t0k", chat="@a"))
