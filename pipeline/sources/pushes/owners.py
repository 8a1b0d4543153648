"""Signed webhooks: the site's owner says which story was published, updated or taken back.

What is said counts because it is signed, fresh and heard once; even so a story must be on the owner's own site, and
everything it says passes the gates that a feed's word passes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.articles import revise
from pipeline.articles.addresses import same_site
from pipeline.articles.identity import identify
from pipeline.kernel.config import config
from pipeline.kernel.secrets import Sealed
from pipeline.sources.models import Push, Source
from pipeline.sources.pushes import envelopes, hints, limits, signatures
from pipeline.sources.pushes.envelopes import Event, News, Unreadable
from pipeline.sources.pushes.seals import new_secret, secret_of
from pipeline.sources.pushes.signatures import Check, Checked

log = logging.getLogger("dateline.pushes")

LARGEST = 256 * 1024  #: bytes of a body

HEADERS = {Push.Kind.WEBHOOK: "Dateline-Signature", Push.Kind.GHOST: "X-Ghost-Signature"}
_CHECKS: dict[str, Callable[..., Checked]] = {
    Push.Kind.WEBHOOK: signatures.check_dateline,
    Push.Kind.GHOST: signatures.check_ghost,
}
_READERS: dict[str, Callable[[bytes], News | None]] = {
    Push.Kind.WEBHOOK: envelopes.dateline_news,
    Push.Kind.GHOST: envelopes.ghost_news,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and a sentence for whoever reads the sender's log. 410 is never among them: Ghost would
    delete its webhook."""

    status: int
    words: str


UNKNOWN = Answer(404, "There is nothing here.")
ACCEPTED = Answer(202, "Heard.")
_REFUSED = {
    Check.MISSING: "The signature header is missing.",
    Check.BAD: "The signature does not match this body and this secret.",
    Check.STALE: f"The signature is more than {signatures.WINDOW_S} s away from now: check the sender's clock.",
}


def open_hook(*, source_id: int, kind: Push.Kind, now: datetime) -> tuple[Push, str]:
    """A webhook of a source, and its new secret, which is told this once; a secret it had before is void."""
    push, _ = Push.objects.get_or_create(source_id=source_id, kind=kind, topic_url="", defaults={"created_at": now})
    Push.objects.filter(id=push.id, state=Push.State.ENDED).update(state=Push.State.PENDING)
    return push, new_secret(push)


def address(push: Push) -> str:
    """Where a webhook is sent."""
    return f"{config().site_url}/hooks/{push.token}"


def is_known(token: str) -> bool:
    """Is this the address of a webhook that we gave out?"""
    return Push.objects.filter(token=token, kind__in=HEADERS).exclude(state=Push.State.ENDED).exists()


def receive(*, token: str, headers: Mapping[str, str], body: bytes | None, now: datetime) -> Answer:
    """Take one webhook. `headers` answers names in any case; `body` is as it came, None where it was too large."""
    push = Push.objects.select_related("source").filter(token=token, kind__in=HEADERS).first()
    if push is None or push.state == Push.State.ENDED:
        return UNKNOWN
    if not limits.may_knock(token, now=now):
        return Answer(429, "Too many at once; a look is planned anyway.")
    if body is None:
        return Answer(413, f"The body is larger than {LARGEST} bytes.")
    checked = _checked(push, headers.get(HEADERS[Push.Kind(push.kind)]) or "", body, now=now)
    if checked.check is not Check.GOOD:
        log.warning("a %s of %s was refused: signature %s", push.kind, push.source, checked.check)
        return Answer(401, _REFUSED[checked.check])
    if not limits.first_time(checked.mac):
        return Answer(409, "Heard before: the same body with the same signature.")
    try:
        return _heard(push, body, now=now)
    except Exception:
        limits.forget(checked.mac)  # the sender may try again
        raise


def _checked(push: Push, header: str, body: bytes, *, now: datetime) -> Checked:
    try:
        secret = secret_of(push)
    except Sealed as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence says all; a traceback would add nothing
        return Checked(Check.BAD)
    return _CHECKS[push.kind](header, secret=secret, body=body, now=now) if secret else Checked(Check.BAD)


def _heard(push: Push, body: bytes, *, now: datetime) -> Answer:
    try:
        news = _READERS[push.kind](body)
    except Unreadable as error:
        return Answer(400, f"Nothing was changed: {error}.")
    if news is None:
        return Answer(202, "Heard; this is no news of a story.")
    if push.source.state != Source.State.ACTIVE:
        return Answer(202, "Heard; the source is paused.")
    answer = _acted(push, news, now=now)
    hints.hear(source_id=push.source_id, push_id=push.id, now=now)
    return answer


def _acted(push: Push, news: News, *, now: datetime) -> Answer:
    """Before its baseline a source has no news, only what was there before us: the hint alone is taken."""
    if push.source.baseline_at is None:
        return ACCEPTED
    if news.event is Event.UNPUBLISHED:
        revise.unpublished(source_id=push.source_id, names=identify.names_of(news.entry), now=now)
        return ACCEPTED
    if not same_site(news.entry.link or "", push.source.home_url):
        log.warning("%s tells of a story on another site: %s", push, news.entry.link)
        return Answer(202, "Heard; the story is on another site, so only a look was taken.")
    if _is_news(push, news):
        seen = identify.observe(source_id=push.source_id, told=[news.entry], now=now, baseline=False)
        if seen.fresh:
            hints.delivered(source_id=push.source_id, push_id=push.id, now=now)
    return ACCEPTED


def _is_news(push: Push, news: News) -> bool:
    """An update without a date of a story we never knew may be of any age: only a look can tell."""
    if news.event is Event.PUBLISHED or news.entry.published is not None:
        return True
    return identify.find(source_id=push.source_id, names=identify.names_of(news.entry)) is not None
