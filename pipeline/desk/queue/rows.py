"""Rows of the queue: editions and posts of yesterday to the day after tomorrow, and whatever is open longer than that."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q
from django.urls import reverse

from pipeline.delivery.course.doubts import LEFT
from pipeline.delivery.models import Delivery, Send
from pipeline.desk import frame, words
from pipeline.desk.queue import counts
from pipeline.desk.reasons import codes, standing
from pipeline.desk.stories import posts
from pipeline.editions.models import Edition, Newsletter
from pipeline.kernel.pages import local
from pipeline.posts.acts.review import DOUBTFUL
from pipeline.posts.models import Post
from pipeline.staff.models import JournalEntry

BACK, AHEAD = timedelta(days=1), timedelta(days=2)
MOST = 150  #: of editions, and of posts


class Stage(StrEnum):
    """Where something stands on its way out, in the order of the way; side tracks last."""

    SCHEDULED = "scheduled"
    APPROVAL = "approval"
    UNDO = "undo"
    PREPARING = "preparing"
    ASKING = "asking"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    HELD = "held"
    PARTLY = "partly"
    UNKNOWN = "unknown"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


BADGES: Mapping[Stage, words.Badge] = {
    Stage.SCHEDULED: words.Badge("scheduled", "waiting"),
    Stage.APPROVAL: words.Badge("waits for approval", "needs"),
    Stage.UNDO: words.Badge("can be taken back", "done"),
    Stage.PREPARING: words.Badge("counting readers", "moving"),
    Stage.ASKING: words.Badge("asks for a yes", "needs"),
    Stage.SENDING: words.Badge("sending", "moving"),
    Stage.PAUSED: words.Badge("paused", "trouble"),
    Stage.SENT: words.Badge("sent", "done"),
    Stage.HELD: words.Badge("held", "trouble"),
    Stage.PARTLY: words.Badge("partly sent", "needs"),
    Stage.UNKNOWN: words.Badge("unknown", "needs"),
    Stage.FAILED: words.Badge("failed", "trouble"),
    Stage.SKIPPED: words.Badge("skipped", "off"),
    Stage.CANCELLED: words.Badge("cancelled", "off"),
    Stage.EXPIRED: words.Badge("expired", "off"),
}
#: What a person should look at comes first, then what moves, then what is to come, then what is over.
_RANK = {
    Stage.FAILED: 0, Stage.PAUSED: 0, Stage.UNKNOWN: 0, Stage.HELD: 0, Stage.ASKING: 0, Stage.PARTLY: 0, Stage.APPROVAL: 1,
    Stage.SENDING: 2, Stage.PREPARING: 2, Stage.UNDO: 2, Stage.SCHEDULED: 3,
}  # fmt: skip
_SEND = {
    Send.State.PLANNED: Stage.PREPARING, Send.State.PREPARING: Stage.PREPARING, Send.State.ASKING: Stage.ASKING,
    Send.State.SUBMITTING: Stage.SENDING, Send.State.PAUSED: Stage.PAUSED, Send.State.FAILED: Stage.FAILED,
}  # fmt: skip
_EDITION = {
    Edition.State.PLANNED: Stage.SCHEDULED, Edition.State.COLLECTING: Stage.SCHEDULED, Edition.State.APPROVED: Stage.UNDO,
    Edition.State.SENDING: Stage.PREPARING, Edition.State.SENT: Stage.SENT, Edition.State.HELD: Stage.HELD,
    Edition.State.SKIPPED: Stage.SKIPPED, Edition.State.EXPIRED: Stage.EXPIRED, Edition.State.CANCELLED: Stage.CANCELLED,
    Edition.State.KILLED: Stage.CANCELLED,
}  # fmt: skip
_POST = {
    Post.State.DRAFT: Stage.APPROVAL, Post.State.DUE: Stage.SCHEDULED, Post.State.SENDING: Stage.SENDING,
    Post.State.POSTED: Stage.SENT, Post.State.UNKNOWN: Stage.UNKNOWN, Post.State.REJECTED: Stage.FAILED,
    Post.State.HELD: Stage.HELD, Post.State.EXPIRED: Stage.EXPIRED, Post.State.CANCELLED: Stage.CANCELLED,
    Post.State.DELETED: Stage.CANCELLED,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One thing on its way. `key` names it in a form, with the revision it was seen at; `done` and `of` are deliveries."""

    key: str
    kind: str  #: mail, alert, post
    item: str
    where: str
    url: str
    zone: str
    stage: Stage
    planned: datetime
    started: datetime | None
    next: str
    owner: str
    done: int | None = None
    of: int | None = None

    @property
    def badge(self) -> words.Badge:
        return BADGES[self.stage]


def listed(*, now: datetime, zone: str) -> list[Row]:
    """All of it, what a person should look at first. Five or six queries, however much there is."""
    found = [*_mail(now=now), *_posts(now=now, zone=zone)]
    return sorted(found, key=lambda row: _order(row, now))


def _order(row: Row, now: datetime) -> tuple[int, float]:
    rank = _RANK.get(row.stage, 4)
    apart = (row.planned - now).total_seconds()
    return (rank, apart if rank < 4 else -apart)


def _mail(*, now: datetime) -> list[Row]:
    open_ = Q(state__in=[Edition.State.SENDING, Edition.State.HELD, Edition.State.APPROVED, Edition.State.READY])
    near = Q(slot_at__gt=now - BACK, slot_at__lt=now + AHEAD)
    editions = Edition.objects.filter(near | open_).select_related("newsletter", "approved_by", "send")
    rows = list(editions.order_by("-slot_at", "-id")[:MOST])
    sends = [row.send for row in rows if hasattr(row, "send")]
    counted, settled = counts.of(sends), left_alone([send.id for send in sends])
    return [_edition(row, counted, settled, now=now) for row in rows]


def left_alone(send_ids: list[int]) -> set[int]:
    """Sends whose readers in doubt a person decided to leave alone."""
    decided = JournalEntry.objects.filter(subject="send", subject_id__in=send_ids, verb=LEFT)
    return set(decided.values_list("subject_id", flat=True))


def _edition(row: Edition, counted: Mapping[int, counts.Counts], settled: Collection[int], *, now: datetime) -> Row:
    send = row.send if hasattr(row, "send") else None
    count = counted[send.id] if send else None
    stage = _stage(row, send, count, is_settled=send is not None and send.id in settled)
    return Row(
        key=f"edition:{row.id}:{row.revision}",
        kind="alert" if row.newsletter.kind == Newsletter.Kind.ALERT else "mail",
        item=row.subject or "not composed yet",
        where=row.newsletter.name,
        url=reverse("desk:send" if send else "desk:edition", kwargs={"edition_id": row.id}),
        zone=frame.zone_of(row.newsletter),
        stage=stage,
        planned=row.slot_at,
        started=send.created_at if send else None,
        next=_next(row, send, count, stage, now=now),
        owner=str(row.approved_by or ("nobody yet" if stage == Stage.APPROVAL else "by rule")),
        done=count.done if count else None,
        of=count.recipients if count else None,
    )


def _stage(row: Edition, send: Send | None, count: counts.Counts | None, *, is_settled: bool) -> Stage:
    if row.state == Edition.State.READY:
        return Stage.APPROVAL if row.newsletter.approval == Newsletter.Approval.EDITOR else Stage.SCHEDULED
    if send is None or count is None:
        return _EDITION[Edition.State(row.state)]
    if send.state == Send.State.CANCELLED:
        return Stage.PARTLY if count.delivered else Stage.CANCELLED
    if send.state == Send.State.SUBMITTED:
        return Stage.UNKNOWN if count.of(Delivery.State.UNKNOWN) and not is_settled else Stage.SENT
    return _SEND[Send.State(send.state)]


def _next(row: Edition, send: Send | None, count: counts.Counts | None, stage: Stage, *, now: datetime) -> str:
    if send is None or count is None:
        return standing.edition(row, now=now)
    if stage == Stage.UNKNOWN:
        doubtful = words.count(count.of(Delivery.State.UNKNOWN), "reader")
        return f"{doubtful} may have it or not. Nobody is mailed again before a person says so."
    if stage == Stage.PARTLY:
        spared = words.count(count.of(Delivery.State.CANCELLED), "reader")
        return f"{spared} were spared; it can go on to them while it is news."
    if send.code:
        return codes.sentence(codes.SEND, send.code, send.params, zone=frame.zone_of(row.newsletter))
    if stage == Stage.SENDING:
        return f"{words.count(count.waiting, 'reader')} to go; it ends by itself."
    return (
        "Its readers are counted and listed; then it leaves."
        if stage == Stage.PREPARING
        else standing.edition(row, now=now)
    )


def _posts(*, now: datetime, zone: str) -> list[Row]:
    open_ = Q(state__in=[Post.State.DRAFT, Post.State.HELD, Post.State.UNKNOWN, Post.State.SENDING])
    near = Q(state__in=Post.State.values, due_at__gt=now - BACK, due_at__lt=now + AHEAD)
    found = posts.posts().filter(near | open_).defer(*(f"article__{name}" for name in ("text", "related", "markers")))
    return [_post(post, now=now, zone=zone) for post in found[:MOST]]


def _post(post: Post, *, now: datetime, zone: str) -> Row:
    shown = posts.row(post, zone=zone)
    stage = Stage.UNKNOWN if post.code in DOUBTFUL and post.state == Post.State.HELD else _POST[Post.State(post.state)]
    if post.state == Post.State.DUE and not post.code and post.due_at > now:
        shown["why"] = "It is posted at that time, by itself."
    posted = f"Live since {local(post.posted_at, zone, words.CLOCK)}." if post.posted_at else ""
    return Row(
        key=f"post:{post.id}",
        kind="post",
        item=shown["text"] or shown["headline"],
        where=shown["account"],
        url=reverse("desk:posts") + f"#post-{post.id}",
        zone=zone,
        stage=stage,
        planned=post.due_at,
        started=post.posted_at,
        next=" ".join(filter(None, (shown["why"] or posted, shown["paused"]))),
        owner=str(post.params.get("who") or ("nobody yet" if stage == Stage.APPROVAL else "by rule")),
    )
