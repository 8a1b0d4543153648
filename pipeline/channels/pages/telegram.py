"""A Telegram channel or group by a bot (core.telegram.org/bots/api, read 2026-11-25).

Bots cannot read what a channel holds, and a repeated request is a second post: an answer that was lost leaves a doubt
that only a person can settle. Views are not told to bots, and pictures have no alternative text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from pipeline.channels.base import (
    ChannelError,
    Gone,
    Limits,
    Message,
    Permanent,
    Published,
    RateLimited,
    Unauthorised,
    Unknown,
)
from pipeline.channels.calls import TIMEOUT_S, Caller, body_of, patience, refusal

LONGEST_CAPTION = 1024  #: UTF-16 units below a picture; a text alone may have 4,096
_NOT_THERE = ("message to delete not found", "message to edit not found", "message_id_invalid")
_SAME = "message is not modified"
_CAPTIONED = "there is no text in the message to edit"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The bot's token, and the chat: "@name", or the number of a private channel ("-100...")."""

    token: str = field(repr=False)
    chat: str


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> Telegram:
    """The chat among the keys, else the one the account is named after."""
    return Telegram(credentials=Credentials(token=keys["token"], chat=keys.get("chat") or handle), base_url=base_url)


class Telegram:
    """One chat."""

    network = "telegram"
    limits: Limits | None = None

    def __init__(
        self, *, credentials: Credentials, base_url: str = "", timeout_s: tuple[float, float] = TIMEOUT_S
    ) -> None:
        self._chat = credentials.chat
        self._api = Caller(
            title="Telegram",
            base_url=f"{(base_url or 'https://api.telegram.org').rstrip('/')}/bot{credentials.token}",
            judge=_refusal,
            timeout_s=timeout_s,
        )

    def publish(self, message: Message) -> Published:
        """sendMessage, or sendPhoto for a message with a picture (one, whose caption is the text).

        Raises as Channel.publish says.
        """
        response = self._photo(message) if message.pictures else self._text(message)
        result = body_of(response).get("result") or {}
        if not result.get("message_id"):
            raise Unknown("Telegram answered without the post's number")
        return self._published(str(result["message_id"]), (result.get("chat") or {}).get("username") or "")

    def find(self, message: Message) -> Published | None:  # noqa: ARG002
        """Raises Permanent, always: a person must look."""
        raise Permanent("bots cannot read a Telegram chat back: look whether the post is there")

    def edit(self, remote_id: str, message: Message) -> Published:
        """editMessageText, or editMessageCaption where the post is a picture; the same words again are no error."""
        about = {"chat_id": self._chat, "message_id": int(remote_id)}
        preview = {"link_preview_options": _preview(message)}
        try:
            self._api.ask("POST", "/editMessageText", json={**about, "text": message.text, **preview})
        except Permanent as refused:
            if _CAPTIONED in str(refused):
                self._captioned(about, message.text)
            elif _SAME not in str(refused):
                raise
        return self._published(remote_id, "")

    def delete(self, remote_id: str) -> None:
        """deleteMessage; a post already gone is not an error. Raises Permanent where the bot may not (any more)."""
        try:
            self._api.ask("POST", "/deleteMessage", json={"chat_id": self._chat, "message_id": int(remote_id)})
        except Gone:
            return

    def _text(self, message: Message) -> httpx.Response:
        what = {"chat_id": self._chat, "text": message.text, "link_preview_options": _preview(message)}
        return self._api.write("POST", "/sendMessage", json={**what, **_answering(message)})

    def _photo(self, message: Message) -> httpx.Response:
        picture = message.pictures[0]
        if len(message.text.encode("utf-16-le")) // 2 > LONGEST_CAPTION:
            raise Permanent(f"Telegram takes {LONGEST_CAPTION} units of text below a picture")
        form = {"chat_id": self._chat, "caption": message.text}
        form |= {name: json.dumps(value) for name, value in _answering(message).items()}
        attached = {"photo": ("picture", picture.content, picture.media_type)}
        return self._api.write("POST", "/sendPhoto", data=form, files=attached)

    def _captioned(self, about: dict[str, Any], words: str) -> None:
        try:
            self._api.ask("POST", "/editMessageCaption", json={**about, "caption": words})
        except Permanent as refused:
            if _SAME not in str(refused):
                raise

    def _published(self, remote_id: str, username: str) -> Published:
        """t.me knows public chats by name and private channels by their number without its -100."""
        name = username or (self._chat.removeprefix("@") if self._chat.startswith("@") else "")
        if name:
            return Published(remote_id=remote_id, url=f"https://t.me/{name}/{remote_id}")
        if self._chat.startswith("-100"):
            return Published(remote_id=remote_id, url=f"https://t.me/c/{self._chat[4:]}/{remote_id}")
        return Published(remote_id=remote_id, url=None)


def _preview(message: Message) -> dict[str, Any]:
    return {"url": message.card.url, "prefer_large_media": True} if message.card else {}


def _answering(message: Message) -> dict[str, Any]:
    return {"reply_parameters": {"message_id": int(message.reply_to)}} if message.reply_to else {}


def _refusal(response: httpx.Response, *, writing: bool) -> ChannelError | None:
    status, body = response.status_code, body_of(response)
    said, more = str(body.get("description") or ""), body.get("parameters") or {}
    words = f"Telegram answered {status}: {said}"[:300]
    if status == 429:
        waits = more.get("retry_after")
        told = float(waits) if isinstance(waits, int | float) else patience(response)
        return RateLimited(words, retry_after_s=told)
    if status == 401 or (status == 404 and said in ("", "Not Found")):  # how a token that never was is told
        return Unauthorised(words)
    if more.get("migrate_to_chat_id"):
        return Permanent(f"Telegram has given this chat a new number: {more['migrate_to_chat_id']}")
    if any(phrase in said.lower() for phrase in _NOT_THERE):
        return Gone(words)
    if 200 <= status < 300 and body.get("ok") is not True:
        return Unknown(words) if writing else Permanent(words)
    return refusal(response, title="Telegram", said=said, writing=writing)
