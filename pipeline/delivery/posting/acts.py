"""Edits and deletions of live posts: both may be repeated, so what is lost is done again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from pipeline.channels.base import Channel, Editing, Gone, Permanent
from pipeline.delivery.posting import parts
from pipeline.posts.models import Post, Variant


def edit(post: Post, channel: Channel, *, now: datetime) -> dict[str, Any]:
    """Put new words in place of a live post's. Raises as `Editing.edit`, and Permanent where the network cannot."""
    about = _about(post)
    if not isinstance(channel, Editing):
        raise Permanent(f"posts cannot be edited on {post.account.network}")
    said = Variant.objects.get(post=post, chosen=True)
    message = replace(parts.message_of(post, said), key=f"dateline-{about.id}", reply_to="")
    done = channel.edit(about.remote_id, message)
    with transaction.atomic():
        kept = {"remote_id": done.remote_id, "remote_url": done.url or about.remote_url, "version": post.version}
        Post.objects.filter(id=about.id).update(verified_at=None, code="", **kept)
        Variant.objects.filter(post=about, chosen=True).update(text=said.text, length=said.length)
    return _done(done.remote_id, done.url or about.remote_url, now=now)


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
