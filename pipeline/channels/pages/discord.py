"""A Discord channel by its webhook, and by a bot where the channel shall be read back (docs.discord.com, 2026-11-25).

A webhook can read, change and remove a message whose number it knows, but cannot look for one. A bot can, if it may
read the channel's history and has the privileged intent for message content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx

from pipeline.channels.base import (
    ChannelError,
    Gone,
    Limits,
    Message,
    Metrics,
    Permanent,
    Published,
    RateLimited,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.calls import TIMEOUT_S, Caller, body_of, carries, moment, patience, refusal

_API = "/api/v10"
_PAGE, _WINDOW = 100, 200  #: messages in a request, and in all, that `find` looks at
_UNKNOWN_MESSAGE = 10008  #: the other 404s concern the webhook or the channel: the message may still be there


@dataclass(frozen=True, slots=True)
class Credentials:
    """`webhook` is "id/token", the end of the webhook's address, or the whole of it.

    `bot_token` and `channel` open the way back; `server` (the guild's number) makes addresses people can open.
    """

    webhook: str = field(repr=False)
    bot_token: str = field(default="", repr=False)
    channel: str = ""
    server: str = ""

    @property
    def hook_id(self) -> str:
        """The webhook's number: the author of what it posts."""
        return self.place.partition("/")[0]

    @property
    def place(self) -> str:
        """ "id/token" """
        return "/".join(self.webhook.partition("?")[0].rstrip("/").split("/")[-2:])


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> Discord:  # noqa: ARG001
    """The channel the webhook belongs to."""
    return Discord(credentials=Credentials(**keys), base_url=base_url)


class Discord:
    """One channel."""

    network = "discord"

    def __init__(
        self, *, credentials: Credentials, base_url: str = "", timeout_s: tuple[float, float] = TIMEOUT_S
    ) -> None:
        self.limits: Limits | None = None
        self._keys = credentials
        self._hook = f"{_API}/webhooks/{quote(credentials.place)}"
        self._api = Caller(
            title="Discord", base_url=base_url or "https://discord.com", judge=self._refusal, timeout_s=timeout_s
        )

    def publish(self, message: Message) -> Published:
        """Execute the webhook and wait for the message's number. Raises as Channel.publish says."""
        what = {**_words(message), "attachments": _described(message)}
        response = self._api.write("POST", f"{self._hook}?wait=true", **_content(what, message))
        body = body_of(response)
        if not body.get("id"):
            raise Unknown("Discord answered without the message's number")
        return self._published(body)

    def find(self, message: Message) -> Published | None:
        """Look for the marker among the channel's newest 200 messages, by the bot.

        Raises Permanent where no bot is among the keys: a person must look.
        """
        if not (self._keys.bot_token and self._keys.channel):
            raise Permanent("a Discord webhook cannot look back: see whether the message is there, or add a bot")
        before, read = "", 0
        while read < _WINDOW:
            messages = self._history(before)
            for one in messages:
                if str(one.get("webhook_id", "")) == self._keys.hook_id and carries(
                    str(one.get("content", "")), message.marker
                ):
                    return self._published(one)
            read += _PAGE
            if len(messages) < _PAGE:
                break
            before = str(messages[-1]["id"])
        return None

    def edit(self, remote_id: str, message: Message) -> Published:
        """Change the words; pictures stay."""
        return self._published(
            body_of(self._api.ask("PATCH", self._message(remote_id), json=_words(message))), remote_id
        )

    def delete(self, remote_id: str) -> None:
        """Remove a message; one already gone is not an error, a webhook that is gone is."""
        try:
            self._api.ask("DELETE", self._message(remote_id))
        except Gone:
            return

    def read(self, remote_id: str) -> str | None:
        """The words of a message."""
        try:
            return str(body_of(self._api.ask("GET", self._message(remote_id))).get("content", ""))
        except Gone:
            return None

    def metrics(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        """Reactions, one request a message; Discord counts nothing else."""
        counted = {}
        for remote_id in remote_ids:
            try:
                found = body_of(self._api.ask("GET", self._message(remote_id))).get("reactions") or ()
            except Gone:
                continue
            counted[remote_id] = Metrics(likes=sum(int(one.get("count", 0)) for one in found))
        return counted

    def _history(self, before: str) -> list[dict[str, Any]]:
        place = f"{_API}/channels/{quote(self._keys.channel)}/messages?limit={_PAGE}"
        more = f"&before={quote(before)}" if before else ""
        response = self._api.ask("GET", place + more, headers={"Authorization": f"Bot {self._keys.bot_token}"})
        try:
            messages = response.json()
        except ValueError:
            messages = None
        if not isinstance(messages, list):
            raise Temporary("Discord gave no history")
        return [one for one in messages if isinstance(one, dict)]

    def _message(self, remote_id: str) -> str:
        return f"{self._hook}/messages/{quote(remote_id)}"

    def _published(self, body: Mapping[str, Any], remote_id: str = "") -> Published:
        number, channel = str(body.get("id") or remote_id), str(body.get("channel_id") or self._keys.channel)
        opened = self._keys.server and channel
        url = f"https://discord.com/channels/{self._keys.server}/{channel}/{number}" if opened else None
        return Published(remote_id=number, url=url)

    def _refusal(self, response: httpx.Response, *, writing: bool) -> ChannelError | None:
        self.limits = _limits(response) or self.limits
        status, body = response.status_code, body_of(response)
        said = str(body.get("message") or "")
        words = f"Discord answered {status}: {said}"[:300]
        if status == 429:
            waits = body.get("retry_after")
            told = float(waits) if isinstance(waits, int | float) else patience(response)
            return RateLimited(words, retry_after_s=told, scope="app" if body.get("global") is True else "account")
        if status == 404 and body.get("code") == _UNKNOWN_MESSAGE:
            return Gone(words)
        if status == 404:
            return Unauthorised(words)
        return refusal(response, title="Discord", said=said, writing=writing)


def _words(message: Message) -> dict[str, Any]:
    """`allowed_mentions` rings nobody, whatever a headline says about @everyone."""
    return {"content": message.text, "allowed_mentions": {"parse": []}}


def _described(message: Message) -> list[dict[str, Any]]:
    return [
        {"id": number, "filename": _filename(number, picture.media_type), "description": picture.alt[:1024]}
        for number, picture in enumerate(message.pictures[:10])
    ]


def _content(what: dict[str, Any], message: Message) -> dict[str, Any]:
    if not message.pictures:
        return {"json": {name: value for name, value in what.items() if value}}
    files = {
        f"files[{number}]": (_filename(number, picture.media_type), picture.content, picture.media_type)
        for number, picture in enumerate(message.pictures[:10])
    }
    return {"data": {"payload_json": json.dumps(what)}, "files": files}


def _filename(number: int, media_type: str) -> str:
    return f"picture-{number}.{media_type.rpartition('/')[2]}"


def _limits(response: httpx.Response) -> Limits | None:
    left, opens_s = response.headers.get("X-RateLimit-Remaining", ""), response.headers.get("X-RateLimit-Reset-After")
    if not left.isdigit():
        return None
    try:
        reset_at = moment(response) + timedelta(seconds=float(opens_s)) if opens_s else None
    except (ValueError, OverflowError):
        reset_at = None
    size = response.headers.get("X-RateLimit-Limit", "")
    return Limits(remaining=int(left), reset_at=reset_at, size=int(size) if size.isdigit() else None)
