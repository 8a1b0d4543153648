"""Where wrong text is still live: every post of a story that was corrected or withdrawn and was not put right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from pipeline.articles.models import Bulletin
from pipeline.engagement.models import Event
from pipeline.posts.models import Post
from pipeline.posts.rules.remedies import GRAVITY, UPDATE, WITHDRAWN

LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A live post that says what is not so any more. `next_*` tell the act about it: "" where there is none yet.

    `clicks` are people who followed its link; `act_id` is None where no act exists.
    """

    post_id: int
    account: str
    headline: str
    kind: str
    said: str
    since: datetime
    posted_at: datetime | None
    remote_url: str
    clicks: int
    act_id: int | None
    next_act: str
    next_state: str
    next_code: str


def still_live(*, now: datetime) -> list[Wrong]:
    """What is wrong and live, the gravest first and then the longest-standing."""
    told = Bulletin.objects.filter(at__gt=now - LOOK_BACK).exclude(kind__in=[Bulletin.Kind.NEW, Bulletin.Kind.UPDATE])
    ids = list(told.values_list("article_id", flat=True).distinct())
    posts = Post.objects.filter(article_id__in=ids, state=Post.State.POSTED, act__in=[Post.Act.PUBLISH, Post.Act.REPLY])
    rows = list(posts.select_related("account", "article").prefetch_related("acts", "article__bulletins"))
    clicks = _clicks(post.origin_id for post in rows)
    found = [wrong for post in rows if (wrong := _wrong(post, clicks.get(post.origin_id or 0, 0)))]
    return sorted(found, key=lambda one: (-GRAVITY.index(one.kind), one.since))


def _wrong(post: Post, clicks: int) -> Wrong | None:
    told = _worst(post)
    if told is None:
        return None
    acts = [act for act in post.acts.all() if _is_about(act, told)]
    act = next((act for act in acts if act.state != Post.State.POSTED), None)
    if acts and act is None:
        return None
    return Wrong(
        post_id=post.id,
        account=str(post.account),
        headline=post.article.headline,
        kind=told.kind,
        said=told.said,
        since=told.at,
        posted_at=post.posted_at,
        remote_url=post.remote_url,
        clicks=clicks,
        act_id=act.id if act else None,
        next_act=act.act if act else "",
        next_state=act.state if act else "",
        next_code=act.code if act else "",
    )


def _is_about(act: Post, told: Bulletin) -> bool:
    known = f"{told.kind}:{told.version}"
    return act.purpose == known or act.purpose.startswith((f"{known}:", "delete:"))


def _worst(post: Post) -> Bulletin | None:
    """The gravest bulletin a post's words contradict."""
    withdrawn = post.article.state in ("killed", "gone")
    known = [
        told for told in post.article.bulletins.all()
        if (told.kind in WITHDRAWN and withdrawn) or (told.kind not in ("new", UPDATE, *WITHDRAWN) and told.version > post.version)
    ]  # fmt: skip
    return max(known, key=lambda told: (GRAVITY.index(told.kind), told.version), default=None)


def _clicks(origins: Iterable[int | None]) -> dict[int, int]:
    known = [origin for origin in origins if origin]
    human = Event.objects.filter(origin_id__in=known, kind="click", verdict=Event.Verdict.HUMAN)
    return dict(human.values_list("origin_id").annotate(n=Count("id")))
