"""A Slack channel: by a bot's token, which can read back, or by an incoming webhook, which can do nothing but post.

Sources: docs.slack.dev chat.postMessage, conversations.history, "formatting message text", read 2026-11-25.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from pipeline.channels.base import (
    Channel,
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
from pipeline.channels.calls import TIMEOUT_S, Caller, body_of, carries, list_in, patience, refusal

_PAGE, _WINDOW = 100, 200  #: messages in a request, and in all, that `find` looks at
_EVENT = "dateline_post"
_SIGNED_OUT = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission"}
#: Slack says of these that some of the call may have been done.
_DOUBTFUL = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_NOT_THERE = {"message_not_found", "thread_not_found"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A bot's token (chat:write, channels:history; reactions:read is not needed) and the channel's number."""

    token: str = field(repr=False)
    channel: str


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> Channel:  # noqa: ARG001
    """By the token where there is one, else by the webhook."""
    if keys.get("token"):
        return Slack(credentials=Credentials(token=keys["token"], channel=keys["channel"]), base_url=base_url)
    return SlackHook(url=keys["webhook"])


class Slack:
    """One channel by a bot."""

    network = "slack"
    limits: Limits | None = None

    def __init__(
        self, *, credentials: Credentials, base_url: str = "", timeout_s: tuple[float, float] = TIMEOUT_S
    ) -> None:
        self._channel = credentials.channel
        self._api = Caller(
            title="Slack",
            base_url=f"{(base_url or 'https://slack.com').rstrip('/')}/api",
            judge=_refusal,
            headers={"Authorization": f"Bearer {credentials.token}"},
            timeout_s=timeout_s,
        )

    def publish(self, message: Message) -> Published:
        """chat.postMessage with our key in its metadata. Raises as Channel.publish says, Permanent for pictures."""
        _refuse_pictures(message)
        what = {**self._words(message), "metadata": {"event_type": _EVENT, "event_payload": {"key": message.key}}}
        root = _root(message.reply_to)
        what |= {"thread_ts": root} if root else {}
        body = body_of(self._api.write("POST", "/chat.postMessage", json=what))
        if not body.get("ts"):
            raise Unknown("Slack answered without the message's number")
        return self._published(str(body["ts"]), root=root)

    def find(self, message: Message) -> Published | None:
        """Look for our key or the marker among the channel's newest 200 messages, or a thread's first 200."""
        cursor, read, root = "", 0, _root(message.reply_to)
        while read < _WINDOW:
            more = {"cursor": cursor} if cursor else {}
            response = self._history(root, limit=str(_PAGE), include_all_metadata="true", **more)
            messages = list_in(response, "messages", title="Slack")
            for one in messages:
                if _is(one, message):
                    return self._published(str(one["ts"]), root=root)
            cursor = (body_of(response).get("response_metadata") or {}).get("next_cursor") or ""
            read += _PAGE
            if not messages or not cursor:
                break
        return None

    def edit(self, remote_id: str, message: Message) -> Published:
        """chat.update."""
        self._api.ask("POST", "/chat.update", json={**self._words(message), "ts": _ts(remote_id)})
        return self._published(_ts(remote_id), root=remote_id.rpartition("/")[0])

    def delete(self, remote_id: str) -> None:
        """chat.delete; a message already gone is not an error."""
        try:
            self._api.ask("POST", "/chat.delete", json={"channel": self._channel, "ts": _ts(remote_id)})
        except Gone:
            return

    def read(self, remote_id: str) -> str | None:
        """The words of a message, without Slack's marks."""
        found = self._one(remote_id)
        return plain(str(found.get("text", ""))) if found else None

    def metrics(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        """Reactions and replies, one request a message."""
        found = ((remote_id, self._one(remote_id)) for remote_id in remote_ids)
        return {
            remote_id: Metrics(
                likes=sum(int(each.get("count", 0)) for each in one.get("reactions") or ()),
                replies=int(one.get("reply_count", 0)),
            )
            for remote_id, one in found
            if one
        }

    def _one(self, remote_id: str) -> dict[str, Any] | None:
        ts, root = _ts(remote_id), remote_id.rpartition("/")[0]
        try:
            response = self._history(root, latest=ts, oldest=ts, inclusive="true", limit="1")
        except Gone:  # the message that it answered
            return None
        messages = list_in(response, "messages", title="Slack")
        return next((one for one in messages if one.get("ts") == ts), None)

    def _history(self, root: str, **query: str) -> httpx.Response:
        """Messages of the channel, or of the thread below `root`: a channel's history holds no answers."""
        which = {"channel": self._channel, **({"ts": root} if root else {}), **query}
        return self._api.ask("GET", f"/conversations.{'replies' if root else 'history'}?{urlencode(which)}")

    def _words(self, message: Message) -> dict[str, Any]:
        """No unfurling: Slack's fetches would count as clicks. No mrkdwn: a headline's asterisks are its own."""
        return {"channel": self._channel, "text": marked(message.text), **_PLAINLY}

    def _published(self, ts: str, *, root: str) -> Published:
        query = urlencode({"channel": self._channel, "message_ts": ts})
        return Published(remote_id=f"{root}/{ts}" if root else ts, url=f"https://slack.com/app_redirect?{query}")


class SlackHook:
    """One channel by an incoming webhook: a message has no number, so it cannot be found, changed or removed."""

    network = "slack"
    limits: Limits | None = None

    def __init__(self, *, url: str, timeout_s: tuple[float, float] = TIMEOUT_S) -> None:
        self._url = url
        self._api = Caller(title="Slack", base_url="", judge=_hook_refusal, timeout_s=timeout_s)

    def publish(self, message: Message) -> Published:
        """Post to the webhook. Raises as Channel.publish says, Permanent for pictures and answers."""
        _refuse_pictures(message)
        if message.reply_to:
            raise Permanent("a Slack webhook cannot answer a message")
        self._api.write("POST", self._url, json={"text": marked(message.text), **_PLAINLY})
        return Published(remote_id=message.key, url=None)

    def find(self, message: Message) -> Published | None:  # noqa: ARG002
        """Raises Permanent, always: a person must look."""
        raise Permanent("a Slack webhook cannot look back: see whether the message is there, or give a bot's token")

    def delete(self, remote_id: str) -> None:  # noqa: ARG002
        """Raises Permanent, always: a person must remove it."""
        raise Permanent("a Slack webhook cannot remove a message: somebody in the channel must")


def _root(remote_id: str) -> str:
    """The message that a thread hangs below: an answer's id is `root/ts`, for Slack answers no answer."""
    return remote_id.rpartition("/")[0] or remote_id


def _ts(remote_id: str) -> str:
    return remote_id.rpartition("/")[2]


_PLAINLY = {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


def marked(text: str) -> str:
    """The text as Slack must get it: its three control characters as entities, nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str) -> str:
    """What readers see: `<https://a.example|label>` is the address (its label is a shortening of it)."""
    bare = re.sub(r"<(?![@#!])([^<>|]*)(?:\|[^<>]*)?>", r"\1", text)
    return bare.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _is(found: Mapping[str, Any], message: Message) -> bool:
    """By our key, else by the marker in what a bot wrote: a reader who quotes our link is not us."""
    by_bot = bool(found.get("bot_id"))
    return _key(found) == message.key or (by_bot and carries(plain(str(found.get("text", ""))), message.marker))


def _key(message: Mapping[str, Any]) -> str:
    metadata = message.get("metadata") or {}
    known = metadata.get("event_type") == _EVENT
    return str((metadata.get("event_payload") or {}).get("key", "")) if known else ""


def _refuse_pictures(message: Message) -> None:
    if message.pictures:
        raise Permanent("pictures are not sent to Slack: an upload there tells no message number")


def _refusal(response: httpx.Response, *, writing: bool) -> ChannelError | None:
    status, body = response.status_code, body_of(response)
    error = str(body.get("error") or "")
    words = f"Slack answered {status}: {error}"[:300]
    if status == 429 or error in ("ratelimited", "rate_limited"):
        return RateLimited(words, retry_after_s=patience(response))
    if error in _DOUBTFUL or (response.is_success and not error and body.get("ok") is not True):
        return Unknown(words) if writing else Temporary(words)
    if error in _SIGNED_OUT:
        return Unauthorised(words)
    if error in _NOT_THERE:
        return Gone(words)
    if error and response.is_success:
        return Permanent(words)
    return refusal(response, title="Slack", said=error, writing=writing)


def _hook_refusal(response: httpx.Response, *, writing: bool) -> ChannelError | None:
    """A webhook answers in plain words: "ok", "no_service", "invalid_payload"."""
    said = response.text[:80]
    if response.status_code == 404:
        return Unauthorised(f"Slack answered 404: {said}")
    return refusal(response, title="Slack", said=said, writing=writing)
