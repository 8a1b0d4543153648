"""Asking "changed since?" and not being fooled by the answer. Pure; the measurements are in the watching reference 1.3."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.kernel.outbound.http import Answer, Validators

#: A WordPress feed can answer 304 though something changed (measured: two posts in one second, old dates).
FULL_EVERY = timedelta(hours=2)
FULL_EVERY_NTH = 6
#: Feedbin adopts a permanent redirect after 576 equal observations, about six days: a parked domain, a hotel's login
#: page or a bad deploy is over by then, and a redirect believed too early cannot be unbelieved.
MOVES_AFTER = timedelta(days=6)

_FIRST_ITEM = re.compile(rb"<(?:[A-Za-z][\w\-]{0,30}:)?(?:item|entry)[\s>]")
#: The head of a feed is stamped at every build; the dates of its items are news (an edit may change nothing else).
_STAMPS = re.compile(rb"<(lastBuildDate|pubDate|updated|dc:date)\b[^<>]*>[^<]*</\1>")
_ENDS = (b"</rss>", b"</feed>", b"</rdf:RDF>")
_TAIL = 2_000  #: caches write `<!-- generated in 0.3 s -->` after the end


@dataclass(frozen=True, slots=True)
class Held:
    """The validators a channel keeps. `modified_only`: its ETags never match, so only Last-Modified is sent."""

    etag: str = ""
    last_modified: str = ""
    modified_only: bool = False

    def to_send(self) -> Validators:
        return Validators(etag="" if self.modified_only else self.etag, last_modified=self.last_modified)


@dataclass(frozen=True, slots=True)
class Move:
    """Where a channel's permanent redirects lead, and since when every look has seen it."""

    to: str = ""
    since: datetime | None = None


def wants_everything(*, last_full_at: datetime | None, polls: int, now: datetime) -> bool:
    """Is this a look without validators: the first, one after a hint, every sixth and one every two hours."""
    if last_full_at is None or now - last_full_at >= FULL_EVERY:
        return True
    return polls % FULL_EVERY_NTH == FULL_EVERY_NTH - 1


def digest(body: bytes, *, beside: str = "") -> str:
    """What a body says, without the stamps of its build; `beside` is what headers say of the list."""
    first = _FIRST_ITEM.search(body)
    head = first.start() if first else len(body)
    whole = hashlib.sha256(_STAMPS.sub(b"", body[:head]))
    whole.update(_without_tail(body[head:]))
    whole.update(beside.encode())
    return whole.hexdigest()


def _without_tail(body: bytes) -> bytes:
    ends = [body.rfind(end, -_TAIL) + len(end) for end in _ENDS if body.rfind(end, -_TAIL) >= 0]
    return body[: max(ends)] if ends else body


def bare(etag: str) -> str:
    """An ETag as the site's own program made it: a proxy's `W/` and Apache's `-gzip` (bug 39727) taken off."""
    return re.sub(r'-gzip"$', '"', etag.removeprefix("W/"))


def held_after(before: Held, *, sent: Validators | None, answer: Answer, is_same: bool) -> Held:
    """What to keep of an answer's validators.

    They are kept verbatim, those of a 304 too. But a site that answers 200 with the same body although we sent its own
    ETag back did not know it again: it is sent without a proxy's additions next time, and if that fails, no more.
    """
    told = answer.validators(sent or before.to_send())
    if before.modified_only:
        return Held(etag="", last_modified=told.last_modified, modified_only=True)
    etag = before.etag if before.etag and before.etag == bare(told.etag) else told.etag
    fooled = answer.status == 200 and is_same and sent is not None and bool(sent.etag)
    if fooled and sent is not None:
        if bare(sent.etag) != sent.etag:
            return Held(etag=bare(sent.etag), last_modified=told.last_modified)
        if sent.etag != told.etag and sent.etag == bare(told.etag):
            return Held(etag="", last_modified=told.last_modified, modified_only=True)
    return Held(etag=etag, last_modified=told.last_modified)


def moved(before: Move, *, to: str | None, at: str, now: datetime) -> Move:
    """A redirect that one look did not see starts anew."""
    if not to or to == at:
        return Move()
    return before if to == before.to and before.since is not None else Move(to, now)


def is_adopted(move: Move, *, now: datetime) -> bool:
    return move.since is not None and now - move.since >= MOVES_AFTER
