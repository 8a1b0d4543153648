"""Bluesky, by atproto: one account on its PDS, with an app password and a session that is kept.

As documented and known on 2026-11-23: an access token lives two hours, a refresh token ninety days, and 300 sessions a
day are the most, so no call here logs in by itself: it raises Expired, and `refresh` gives keys to be stored. An edited
record is stored but not shown, so there is no edit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from atproto_client import models
from atproto_core.exceptions import AtProtocolError
from atproto_server.auth.jwt import get_jwt_payload

from pipeline.channels.base import (
    Expired,
    Gone,
    Keys,
    Limits,
    Message,
    Metrics,
    Permanent,
    Picture,
    Published,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.social.bluesky import records
from pipeline.channels.social.bluesky.facets import Facet, facets
from pipeline.channels.social.bluesky.xrpc import Line, Taken

SERVICE = "https://bsky.social"
_THUMB_BYTES = 1_000_000
_URIS = 25  #: the most that getPosts takes


@dataclass(frozen=True, slots=True)
class Session:
    """An account's app password, and the session that was opened with it ("" before the first `refresh`)."""

    identifier: str
    app_password: str = field(repr=False)
    did: str = ""
    access_jwt: str = field(default="", repr=False)
    refresh_jwt: str = field(default="", repr=False)


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> Bluesky:
    """The account of that handle, unless the keys name another identifier, on its PDS."""
    return Bluesky(session=Session(**{"identifier": handle.removeprefix("@"), **keys}), base_url=base_url or SERVICE)


class Bluesky:
    """One account. `timeout_s` is (connect, read) in seconds."""

    network = "bluesky"

    def __init__(
        self, *, session: Session, base_url: str = SERVICE, timeout_s: tuple[float, float] = (5.0, 30.0)
    ) -> None:
        self._session, self._dids = session, dict[str, str]()
        self._line = Line(base_url=base_url, timeout_s=timeout_s)

    @property
    def limits(self) -> Limits | None:
        """What the last answer told of our limits."""
        return self._line.limits

    def publish(self, message: Message) -> Published:
        """putRecord under a name of our own, never over another record: a repeat meets the same post again.

        Raises Temporary, RateLimited, Expired, Permanent, Gone (nothing to answer) or Unknown.
        """
        rkey, body = records.tid(self._planned(message), key=message.key), self._record(message)
        put = {
            "repo": self._session.did,
            "collection": records.COLLECTION,
            "rkey": rkey,
            "record": body,
            "swapRecord": None,  # null: there must be none
        }
        try:
            placed = self._done("com.atproto.repo.putRecord", records.encoded(put), writing=True)
        except Taken as taken:
            found = self._got(rkey)
            if found and (found["value"].get("text"), found["value"].get("createdAt")) == (
                body["text"],
                body["createdAt"],
            ):
                return _published(found["uri"])
            raise Permanent("another post on Bluesky has this one's name") from taken
        if not placed.get("uri"):
            raise Unknown("Bluesky took the post but gave no address for it")
        return _published(placed["uri"])

    def find(self, message: Message) -> Published | None:
        """The record under this message's name, if it carries the marker: proof, not a search."""
        found = self._got(records.tid(self._planned(message), key=message.key))
        return _published(found["uri"]) if found and records.carries(found["value"], message.marker) else None

    def delete(self, remote_id: str) -> None:
        """deleteRecord, which takes a record already gone for deleted."""
        repo, rkey = _named(remote_id)
        body = {"repo": repo, "collection": records.COLLECTION, "rkey": rkey}
        self._done("com.atproto.repo.deleteRecord", records.encoded(body))

    def read(self, remote_id: str) -> str | None:
        """The text of a post as the PDS has it; addresses in it are whole."""
        repo, rkey = _named(remote_id)
        found = self._got(rkey, repo=repo)
        return str(found["value"].get("text", "")) if found else None

    def metrics(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        """Counts by the AppView behind the PDS (app.bsky.feed.getPosts); nobody counts impressions."""
        found: dict[str, Metrics] = {}
        for start in range(0, len(remote_ids), _URIS):
            asked = models.AppBskyFeedGetPosts.Params(uris=list(remote_ids[start : start + _URIS]))
            posts = self._asked("app.bsky.feed.getPosts", asked).get("posts") or ()
            found |= {str(post["uri"]): _metrics(post) for post in posts}
        return found

    def refresh(self) -> Keys:
        """A new pair of tokens for the refresh token; for the app password where that has run out too.

        Raises Temporary, or Unauthorised where the password is no longer taken.
        """
        try:
            body = self._renewed()
        except (Expired, Permanent):
            body = self._opened()
        if not (body.get("did") and body.get("accessJwt") and body.get("refreshJwt")):
            raise Temporary("Bluesky opened a session and did not tell it")
        self._session = replace(
            self._session, did=body["did"], access_jwt=body["accessJwt"], refresh_jwt=body["refreshJwt"]
        )
        names = ("identifier", "app_password", "did", "access_jwt", "refresh_jwt")
        return Keys(values={name: getattr(self._session, name) for name in names}, until=_until(body["accessJwt"]))

    def _renewed(self) -> dict[str, Any]:
        if not self._session.refresh_jwt:
            raise Expired("there is no session to renew")
        return self._done("com.atproto.server.refreshSession", b"", token=self._session.refresh_jwt)

    def _opened(self) -> dict[str, Any]:
        body = {"identifier": self._session.identifier, "password": self._session.app_password}
        try:
            return self._done("com.atproto.server.createSession", records.encoded(body), token="")
        except Expired as refused:  # 401 says here that the password is wrong
            raise Unauthorised(str(refused)) from refused

    def _planned(self, message: Message) -> datetime:
        if message.created_at is None:
            raise Permanent("a post on Bluesky is named by the moment it was planned, which it lacks")
        if not self._session.access_jwt:
            raise Expired("no session with Bluesky yet")
        return message.created_at

    def _record(self, message: Message) -> dict[str, Any]:
        """Nothing here is public yet, so every failure is provably harmless."""
        reply = None
        if message.reply_to:
            repo, rkey = _named(message.reply_to)
            parent = self._got(rkey, repo=repo)
            if parent is None:
                raise Gone("the post to be answered is not on Bluesky")
            reply = records.reply_refs(parent)
        return records.record(
            message,
            created_at=self._planned(message),
            facets=self._resolved(facets(message.text)),
            embed=self._embed(message),
            reply=reply,
        )

    def _resolved(self, found: Sequence[Facet]) -> list[Facet]:
        """Mentions by DID; a handle that nobody has stays plain text."""
        kept = []
        for facet in found:
            if facet.kind == "mention":
                did = self._did_of(facet.value.lower())
                kept += [replace(facet, value=did)] if did else []
            else:
                kept.append(facet)
        return kept

    def _did_of(self, handle: str) -> str:
        if handle not in self._dids:
            asked = models.ComAtprotoIdentityResolveHandle.Params(handle=handle)
            try:
                self._dids[handle] = str(self._asked("com.atproto.identity.resolveHandle", asked).get("did") or "")
            except Permanent:
                self._dids[handle] = ""
        return self._dids[handle]

    def _embed(self, message: Message) -> dict[str, Any] | None:
        """Pictures, or else the card; a card's picture that is too heavy is left out."""
        if message.pictures:
            return records.picture_embed([(picture.alt, self._uploaded(picture)) for picture in message.pictures])
        if message.card is None:
            return None
        picture = message.card.picture
        fits = picture is not None and len(picture.content) <= _THUMB_BYTES
        return records.card_embed(message.card, thumb=self._uploaded(picture) if picture and fits else None)

    def _uploaded(self, picture: Picture) -> dict[str, Any]:
        body = self._done("com.atproto.repo.uploadBlob", picture.content, media_type=picture.media_type)
        if not isinstance(body.get("blob"), dict):
            raise Temporary("Bluesky took the picture but gave no reference to it")
        return dict(body["blob"])

    def _got(self, rkey: str, *, repo: str = "") -> dict[str, Any] | None:
        """getRecord: uri, cid and value; None if there is no such record."""
        asked = models.ComAtprotoRepoGetRecord.Params(
            repo=repo or self._session.did, collection=records.COLLECTION, rkey=rkey
        )
        try:
            body = self._asked("com.atproto.repo.getRecord", asked)
        except Gone:
            return None
        if not isinstance(body.get("value"), dict) or "uri" not in body:
            raise Temporary("Bluesky gave no record")
        return body

    def _asked(self, method: str, params: Any) -> dict[str, Any]:
        return self._line.query(method, params, token=self._session.access_jwt)

    def _done(self, method: str, content: bytes, **how: Any) -> dict[str, Any]:
        return self._line.procedure(method, content, **{"token": self._session.access_jwt, **how})


def _published(uri: str) -> Published:
    return Published(remote_id=uri, url=records.address(uri))


def _named(uri: str) -> tuple[str, str]:
    """Repository and record key of at://did/app.bsky.feed.post/rkey."""
    repo, _, rkey = uri.removeprefix("at://").partition(f"/{records.COLLECTION}/")
    if not (repo and rkey):
        raise Permanent(f"{uri!r} is no post on Bluesky")
    return repo, rkey


def _metrics(post: Mapping[str, Any]) -> Metrics:
    """A quote is a repost with words."""
    reposts = post.get("repostCount")
    return Metrics(
        likes=post.get("likeCount"),
        reposts=None if reposts is None else reposts + (post.get("quoteCount") or 0),
        replies=post.get("replyCount"),
    )


def _until(token: str) -> datetime | None:
    """When a JWT runs out, as it says itself; None where it is of another kind."""
    try:
        expires = get_jwt_payload(token).exp
    except (AtProtocolError, ValueError):
        return None
    return datetime.fromtimestamp(expires, UTC) if expires else None
