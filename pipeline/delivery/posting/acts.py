"""Edits and deletions of live posts: both may be repeated, so what is lost is done again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from pipeline.channels.base import Channel, Editing, Gone, Message, Permanent, Published
from pipeline.delivery.posting import parts
from pipeline.posts.acts import threads
from pipeline.posts.models import Part, Post, Variant


def edit(post: Post, channel: Channel, *, now: datetime, until: datetime | None = None) -> dict[str, Any]:
    """Put new words in place of a live post's, part by part: what is done is kept, the rest another turn's.

    Raises as `Editing.edit`, Permanent where the network cannot, and OutOfLeaseError.
    """
    about = _about(post)
    if not isinstance(channel, Editing):
        raise Permanent(f"posts cannot be edited on {post.account.network}")
    said = Variant.objects.get(post=post, chosen=True)
    live = threads.live(about)
    if live:
        _edit_thread(post, channel, live, [said.text, *said.parts], until=until)
    else:
        _edit_one(post, channel, said)
    about.refresh_from_db(fields=["remote_id", "remote_url"])
    with transaction.atomic():
        Post.objects.filter(id=about.id).update(verified_at=None, code="", version=post.version)
        kept = {"parts": said.parts} if live else {}
        Variant.objects.filter(post=about, chosen=True).update(text=said.text, length=said.length, **kept)
    return _done(about.remote_id, about.remote_url, now=now)


def _edit_one(post: Post, channel: Editing, said: Variant) -> None:
    about = _about(post)
    message = replace(parts.message_of(post, said), key=f"dateline-{about.id}", reply_to="")
    _known(about, channel.edit(about.remote_id, message))


def _edit_thread(post: Post, channel: Channel, live: list[Part], texts: list[str], *, until: datetime | None) -> None:
    """The first parts get their words; those that have none any more are removed, the last first."""
    kept, surplus = live[: len(texts)], live[len(texts) :]
    for part, text in [*zip(kept, texts, strict=False), *((part, "") for part in reversed(surplus))]:
        step, _ = Part.objects.get_or_create(post=post, number=part.number, defaults={"text": text})
        if step.posted_at is not None or text == part.text:
            continue
        if until is not None and timezone.now() >= until:
            raise parts.OutOfLeaseError
        if text:
            _reword(post, channel, part, text)
        else:
            _remove(channel, part)
        step.posted_at = timezone.now()
        step.save(update_fields=["posted_at"])


def _reword(post: Post, channel: Channel, part: Part, text: str) -> None:
    """One part's words. A further part that somebody removed says nothing wrong any more."""
    assert isinstance(channel, Editing)  # noqa: S101 - the caller asked
    about, is_first = _about(post), part.number == 1
    message = Message(
        key=f"dateline-{about.id}" if is_first else f"dateline-{about.id}-{part.number}",
        text=text,
        marker=post.marker if is_first else text,
        language=post.article.language or "en",
        created_at=about.created_at,
    )
    try:
        done = channel.edit(part.remote_id, message)
    except Gone:
        if is_first:
            raise
        return
    part.text, part.remote_id = text, done.remote_id
    part.save(update_fields=["text", "remote_id"])
    if is_first:
        _known(about, done)


def _remove(channel: Channel, part: Part) -> None:
    with suppress(Gone):
        channel.delete(part.remote_id)
    part.delete()


def _known(about: Post, done: Published) -> None:
    """Where the edited post is now: some networks give it another number."""
    where = {"remote_id": done.remote_id, "remote_url": done.url or about.remote_url}
    Post.objects.filter(id=about.id).update(**where)


def delete(post: Post, channel: Channel, *, now: datetime) -> dict[str, Any]:
    """Remove a live post with all its parts. Raises Temporary, RateLimited or Permanent."""
    about = _about(post)
    for remote_id in parts.live_ids(about):
        try:
            channel.delete(remote_id)
        except Gone:
            continue
    Post.objects.filter(id=about.id, state=Post.State.POSTED).update(state=Post.State.DELETED)
    return _done("", "", now=now)


def _about(post: Post) -> Post:
    if post.about is None or not post.about.remote_id:
        raise Permanent("it is not known where the post is that this is about")
    return post.about


def _done(remote_id: str, url: str, *, now: datetime) -> dict[str, Any]:
    return {
        "state": Post.State.POSTED,
        "code": "",
        "params": {},
        "remote_id": remote_id,
        "remote_url": url,
        "posted_at": now,
    }
