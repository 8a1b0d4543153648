"""Mastodon, by Mastodon.py: one account on one instance, with an access token that does not expire.

As documented and known on 2026-11-23: Idempotency-Key is kept for an hour; 300 requests in five minutes, 30 deletes in
30; X-RateLimit-Reset is ISO 8601. Cards are drawn by the instance; an edit notifies those who boosted.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import requests
from mastodon import Mastodon as Client
from mastodon.errors import MastodonError

from pipeline.channels.base import (
    Capacity,
    Gone,
    Limits,
    Message,
    Metrics,
    Permanent,
    Picture,
    Published,
    RateLimited,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.social.wire import (
    Door,
    behind,
    limits_said,
    never_left,
    reset_said,
    retry_after_said,
    seconds_until,
)

_PAGE = 40  #: the most that an instance gives at once
_WINDOW = 120  #: newest own posts that `find` looks at
_IDS = 20  #: the most that GET /api/v1/statuses takes
_SPEAKS = "4.3.0"  #: said to Mastodon.py, which would otherwise ask before it uploads
_GARBLED = (MastodonError, ValueError, KeyError, AttributeError, TypeError)


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> Mastodon:
    """The account whose token it is; the instance is `base_url`, or what stands in the handle (@desk@instance)."""
    host = handle.rpartition("@")[2]
    if not base_url and "." not in host:
        raise Permanent(f"{handle} names no instance, and no address of one is given")
    return Mastodon(base_url=base_url or f"https://{host}", token=keys["access_token"])


class Mastodon:
    """One account. `timeout_s` is (connect, read) in seconds."""

    network = "mastodon"

    def __init__(self, *, base_url: str, token: str, timeout_s: tuple[float, float] = (5.0, 30.0)) -> None:
        self.limits: Limits | None = None
        self._account: str | None = None
        self._capacity: Capacity | None = None
        self._door = Door(timeout_s=timeout_s)
        self._client = Client(
            access_token=token,
            api_base_url=base_url,
            session=behind(self._door, base_url, at_home=base_url.startswith("http://")),
            ratelimit_method="throw",  # its default sleeps in the worker
            version_check_mode="created",
            mastodon_version=_SPEAKS,
            user_agent="dateline",
        )

    def publish(self, message: Message) -> Published:
        """POST /api/v1/statuses with the Idempotency-Key. Raises Temporary, RateLimited, Permanent, Gone, Unknown."""
        media = [self._uploaded(picture) for picture in message.pictures] or None
        status = self._told(
            lambda: self._client.status_post(
                message.text,
                in_reply_to_id=message.reply_to or None,
                media_ids=media,
                language=_language(message.language),
                idempotency_key=message.key,
            ),
            writing=True,
        )
        return _published(status)

    def find(self, message: Message) -> Published | None:
        """Look for the marker among the account's newest 120 posts. Raises Temporary, RateLimited, Permanent."""
        whole = re.compile(rf"{re.escape(message.marker)}(?![\w-])")
        for status in self._own():
            if any(whole.search(place) for place in _places(str(status.get("content") or ""))):
                return _published(status)
        return None

    def delete(self, remote_id: str) -> None:
        """DELETE /api/v1/statuses/:id; a post already gone is not an error."""
        try:
            self._told(lambda: self._client.status_delete(remote_id), writing=False)
        except Gone:
            return

    def edit(self, remote_id: str, message: Message) -> Published:
        """PUT /api/v1/statuses/:id: other words, the pictures that are there. Raises Gone where there is no post."""
        before = self._told(lambda: self._client.status(remote_id), writing=False)
        kept = [str(media["id"]) for media in before.get("media_attachments") or ()] or None
        after = self._told(lambda: self._client.status_update(remote_id, message.text, media_ids=kept), writing=False)
        return _published(after)

    def read(self, remote_id: str) -> str | None:
        """The text as written (GET /api/v1/statuses/:id/source)."""
        try:
            return str(self._told(lambda: self._client.status_source(remote_id), writing=False, has="text")["text"])
        except Gone:
            return None

    def metrics(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        """Favourites, boosts and quotes, replies; an instance counts no impressions."""
        found: dict[str, Metrics] = {}
        for start in range(0, len(remote_ids), _IDS):
            found |= {
                str(status["id"]): _metrics(status) for status in self._statuses(remote_ids[start : start + _IDS])
            }
        return found

    def capacity(self) -> Capacity:
        """The instance's own limits (GET /api/v2/instance, configuration.statuses)."""
        if self._capacity is None:
            instance = self._told(self._client.instance_v2, writing=False, has="domain")
            said = (instance.get("configuration") or {}).get("statuses") or {}
            self._capacity = Capacity(
                limit=int(said.get("max_characters") or 500),
                link_length=int(said.get("characters_reserved_per_url") or 23),
                media=int(said.get("max_media_attachments") or 4),
            )
        return self._capacity

    def _own(self) -> Iterator[Any]:
        """The account's own posts, newest first, page by page."""
        if self._account is None:
            self._account = str(self._told(self._client.account_verify_credentials, writing=False)["id"])
        account, before = self._account, None
        for _ in range(_WINDOW // _PAGE):
            page = self._told(
                lambda before=before: self._client.account_statuses(  # type: ignore[misc]
                    account, exclude_reblogs=True, max_id=before, limit=_PAGE
                ),
                writing=False,
                has="",
            )
            yield from page
            if not page:
                return
            before = str(page[-1]["id"])

    def _statuses(self, remote_ids: Sequence[str]) -> list[Any]:
        """Those that are there: at once, or one by one on an instance before 4.3."""
        try:
            return list(self._told(lambda: self._client.statuses(list(remote_ids)), writing=False, has=""))
        except Gone:
            return [status for remote_id in remote_ids if (status := self._status(remote_id))]

    def _status(self, remote_id: str) -> Any:
        try:
            return self._told(lambda: self._client.status(remote_id), writing=False)
        except Gone:
            return None

    def _uploaded(self, picture: Picture) -> str:
        """POST /api/v2/media; nothing is public yet, so every failure is provably harmless."""
        media = self._told(
            lambda: self._client.media_post(picture.content, picture.media_type, description=picture.alt or None),
            writing=False,
        )
        if self._door.last is not None and self._door.last.status_code == 202:
            raise Temporary("Mastodon is still working on the picture")
        return str(media["id"])

    def _told(self, call: Callable[[], Any], *, writing: bool, has: str = "id") -> Any:
        """Run one call. What may have happened twice is Unknown where it matters (`writing`), else Temporary.

        `has` is what the answer must hold to make sense; "" where it is a list.
        """
        try:
            return _sensible(call(), has=has)
        except _GARBLED as error:
            raise _meaning(error, self._door.last, writing=writing) from error
        finally:
            if self._door.last is not None:
                self.limits = limits_said(self._door.last.headers, window="X-RateLimit") or self.limits


def _sensible(answer: Any, *, has: str) -> Any:
    if not isinstance(answer, dict if has else list) or (has and answer.get(has) is None):
        raise ValueError("an answer of another kind")
    return answer


def _meaning(error: Exception, last: requests.Response | None, *, writing: bool) -> Exception:
    """The error that an answer stands for, or the want of one. Mastodon.py hides both in errors of its own."""
    if last is None and never_left(error.__context__):
        return Temporary(f"Mastodon could not be reached: {type(error.__context__).__name__}")
    if last is not None and 300 <= last.status_code < 400:
        return Permanent("Mastodon answered with a redirect, which is not followed")
    if last is None or last.status_code < 400:
        said = f"no usable answer from Mastodon: {type(error.__context__ or error).__name__}"
        return Unknown(said) if writing else Temporary(said)
    return _refusal(last, writing=writing)


def _refusal(answer: requests.Response, *, writing: bool) -> Exception:
    status = answer.status_code
    said = f"Mastodon answered {status}: {_words(answer) or answer.reason}"
    if status == 429:
        reset_at = reset_said(answer.headers, window="X-RateLimit")
        wait = seconds_until(reset_at, answer.headers) if reset_at else retry_after_said(answer.headers)
        return RateLimited(said, retry_after_s=wait)
    if status in (401, 403):  # no token, a token without the right, an account that is closed
        return Unauthorised(said)
    if status in (404, 410):
        return Gone(said)
    if status in (408, 409) or status >= 500:
        return Unknown(said) if writing else Temporary(said)
    return Permanent(said)


def _words(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("error") or "") if isinstance(body, dict) else ""


def _places(content: str) -> list[str]:
    """Where a marker may stand in a post's HTML: the addresses, and the words without their tags."""
    links = re.findall(r'href="([^"]*)"', content)
    return [html.unescape(place) for place in (*links, re.sub(r"<[^>]*>", "", content))]


def _published(status: Any) -> Published:
    return Published(remote_id=str(status["id"]), url=status.get("url"))


def _metrics(status: Any) -> Metrics:
    reposts = status.get("reblogs_count")
    return Metrics(
        likes=status.get("favourites_count"),
        reposts=None if reposts is None else reposts + (status.get("quotes_count") or 0),
        replies=status.get("replies_count"),
    )


def _language(tag: str) -> str | None:
    """ISO 639-1, which is all that instances take."""
    primary = tag.partition("-")[0].lower()
    return primary if len(primary) == 2 else None
