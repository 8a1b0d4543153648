"""A live thread whose story says something else now: which parts no longer stand, and what stands in their place."""

from __future__ import annotations

import re

from pipeline.posts import wording
from pipeline.posts.models import Part, Post
from pipeline.posts.variants import CannotFitError
from pipeline.posts.words.strings import further_parts, sentences

_PART = re.compile(r":part(\d+)")


def live(post: Post) -> list[Part]:
    """The parts that are out, in order; none of a post that is no thread."""
    out = list(post.thread.exclude(remote_id="").order_by("number"))
    return out if len(out) > 1 else []


def anew(post: Post, *, first: str) -> tuple[str, ...]:
    """What the parts after the first say by the story as it is now; never more of them than are out.

    `first` is the first part, whose sentences are not repeated. Raises CannotFitError where the story has no text.
    """
    further = live(post)[1:]
    if not further:
        return ()
    if not post.article.text.strip():
        raise CannotFitError("the story has no text now of which the thread's further parts could be made")
    limit = wording.voice_of(post.account).rules.length or None
    return further_parts(
        post.article.text, network=post.account.network, limit=limit, said=first, most=len(further)
    )  # fmt: skip


def stale(post: Post) -> list[Part]:
    """The parts after the first that say what the story does not say any more."""
    stands = " ".join(post.article.text.split())
    return [part for part in live(post)[1:] if any(one not in stands for one in sentences(_unnumbered(part.text)))]


def answered(act: Post) -> str:
    """The remote id of what an answer stands below: a part of a thread where its purpose names one, else the post."""
    if act.about is None:
        return ""
    named = _PART.search(act.purpose)
    part = act.about.thread.filter(number=int(named[1])).exclude(remote_id="").first() if named else None
    return part.remote_id if part else act.about.remote_id


def purpose(part: int) -> str:
    """What is added to the purpose of an answer to one part; "" for one to the whole post."""
    return f":part{part}" if part else ""


def is_below_a_part(act: Post) -> bool:
    """Whether it answers one part of a thread."""
    return bool(_PART.search(act.purpose))


def reads_otherwise(post: Post, *, first: str) -> bool:
    """Whether a part after the first would be worded otherwise now."""
    return tuple(part.text for part in live(post)[1:]) != anew(post, first=first)


def _unnumbered(text: str) -> str:
    return text.rpartition(" ")[0]
