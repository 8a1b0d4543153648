"""A post on the wire, part by part: each is written down before its call and confirmed before the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.db.models.functions import Now
from django.utils import timezone

from pipeline.channels.base import Channel, Drafting, Message, Published
from pipeline.delivery.posting import pictures
from pipeline.posts import wording
from pipeline.posts.acts import threads
from pipeline.posts.models import Part, Post, Variant


class OutOfLeaseError(Exception):
    """The lease will not last for another part, or did not last for this: the rest is another turn's."""


def message_of(post: Post, variant: Variant | None = None, *, with_card: bool = True) -> Message:
    """A post's first or only part; to look for it, it needs no card."""
    said = variant or Variant.objects.get(post=post, chosen=True)
    return Message(
        key=f"dateline-{post.id}",
        text=said.text,
        marker=post.marker or said.text,
        language=post.article.language or "en",
        reply_to=threads.answered(post) if post.act == Post.Act.REPLY else "",
        card=pictures.card_of(said.card, can=wording.can_of(post.account)) if with_card else None,
        created_at=post.created_at,
    )


def place(post: Post, channel: Channel, *, until: datetime | None) -> Published:
    """Publish what is not out yet; the first part is what a post is known by. Raises as `publish`, and OutOfLeaseError."""
    said = Variant.objects.get(post=post, chosen=True)
    if not said.parts and not post.thread.exists() and not isinstance(channel, Drafting):
        _hold(post)
        return channel.publish(message_of(post, said))
    first: Published | None = None
    for part, message in _messages(post, said):
        if not part.remote_id:
            if until is not None and timezone.now() >= until:
                raise OutOfLeaseError
            _hold(post)
            _begin(part)
            _confirm(part, channel.publish(_drafted(part, message, channel)))
        first = first or Published(remote_id=part.remote_id, url=post.remote_url or None)
    assert first is not None  # noqa: S101 - a thread has a first part
    return first


def find(post: Post, channel: Channel) -> Published | None:
    """Read back the part that is in doubt; None when it is provably absent. A found part is confirmed."""
    said = Variant.objects.get(post=post, chosen=True)
    if not said.parts and not post.thread.exists():
        return channel.find(message_of(post, said, with_card=False))
    for part, message in _messages(post, said, with_card=False):
        if part.started_at is not None and not part.remote_id:
            found = channel.find(message)
            if found is not None:
                _confirm(part, found)
            return found
    confirmed = post.thread.exclude(remote_id="").order_by("number").first()
    return Published(remote_id=confirmed.remote_id, url=None) if confirmed else None


def is_whole(post: Post) -> bool:
    """Whether every part of it is confirmed; a post of one part is."""
    said = Variant.objects.get(post=post, chosen=True)
    return not said.parts or post.thread.exclude(remote_id="").count() == 1 + len(said.parts)


def forget_doubt(post: Post) -> None:
    """A part that was looked for and is not there was never placed."""
    post.thread.filter(remote_id="").update(started_at=None)


def live_ids(post: Post) -> list[str]:
    """Remote ids of all parts, the last first: that is the order to remove them in."""
    ids = list(post.thread.exclude(remote_id="").order_by("-number").values_list("remote_id", flat=True))
    return ids or ([post.remote_id] if post.remote_id else [])


def _messages(post: Post, said: Variant, *, with_card: bool = True) -> Iterator[tuple[Part, Message]]:
    """Parts with their messages, each an answer to the one before. Only the first carries our link."""
    texts, above = [said.text, *said.parts], ""
    for number, text in enumerate(texts, start=1):
        part, _ = Part.objects.get_or_create(post=post, number=number, defaults={"text": text})
        whole = message_of(post, said, with_card=with_card and number == 1 and not part.remote_id)
        if number > 1:
            whole = Message(
                key=f"dateline-{post.id}-{number}", text=part.text, marker=part.text, language=whole.language,
                reply_to=above, created_at=post.created_at,
            )  # fmt: skip
        yield part, whole
        above = part.remote_id


def _hold(post: Post) -> None:
    """The last look before a call: whoever was stopped since the claim, by a slow token or a paused machine, has lost
    the post to another, who may have placed it."""
    if not Post.objects.filter(id=post.id, fence=post.fence, leased_until__gt=Now()).exists():
        raise OutOfLeaseError


def _begin(part: Part) -> None:
    """The intent, committed before the call."""
    part.started_at = timezone.now()
    part.save(update_fields=["started_at"])


def _drafted(part: Part, message: Message, channel: Channel) -> Message:
    """Where a post begins as a draft, its number is kept before it is published: one draft is one post at most."""
    if not isinstance(channel, Drafting):
        return message
    draft = channel.draft(message, kept=part.container)
    if draft != part.container:
        part.container = draft
        part.save(update_fields=["container"])
    return replace(message, draft=draft)


def _confirm(part: Part, placed: Published) -> None:
    part.remote_id, part.posted_at = placed.remote_id, timezone.now()
    part.save(update_fields=["remote_id", "posted_at"])
    if part.number == 1:
        known = {"remote_id": placed.remote_id, "remote_url": placed.url or ""}
        Post.objects.filter(id=part.post_id).update(**known)
        part.post.remote_id, part.post.remote_url = known["remote_id"], known["remote_url"]
