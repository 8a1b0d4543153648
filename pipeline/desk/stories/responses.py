"""What people did with live posts: our own clicks, which are counted, beside what the network says, which is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, Q

from pipeline.desk import words
from pipeline.engagement.models import Event, Response
from pipeline.posts.models import Post

_CENT, _MILL = Decimal("0.01"), Decimal("0.001")
_WAITING = (Event.Verdict.PENDING, Event.Verdict.HUMAN)
#: A field of Response and its noun, one and many.
_NOUNS = {
    "impressions": ("view", "views"),
    "likes": ("like", "likes"),
    "reposts": ("repost", "reposts"),
    "replies": ("reply", "replies"),
}


def heard(posts: Iterable[Post]) -> dict[int, dict[str, Any]]:
    """By post: `clicks` and `cost` in words, `network` what it counts ("" where it was not asked), `at` when. Two queries."""
    live = [
        post for post in posts if post.origin_id and post.posted_at and post.act in (Post.Act.PUBLISH, Post.Act.REPLY)
    ]
    origins = [post.origin_id for post in live]
    clicks, read = _clicks(origins), _read(origins)
    return {
        post.id: _heard(post, clicks.get(post.origin_id or 0, (0, 0)), read.get(post.origin_id or 0)) for post in live
    }  # fmt: skip


def _heard(post: Post, clicks: tuple[int, int], read: Response | None) -> dict[str, Any]:
    people, machines = clicks
    said = words.count(people, "click by a person", "clicks by people")
    if machines:
        said += f" ({words.count(machines, 'fetch', 'fetches')} by previews and robots left out)"
    return {
        "clicks": said,
        "cost": _cost(post.cost_usd, people),
        "network": _counts(read) if read else "",
        "at": read.at if read else None,
    }


def _counts(read: Response) -> str:
    known: Mapping[str, int | None] = {name: getattr(read, name) for name in _NOUNS}
    return ", ".join(words.count(n, *_NOUNS[name]) for name, n in known.items() if n is not None)


def _cost(usd: Decimal, people: int) -> str:
    """What the post cost, and each click of it; "" where posting is free."""
    if not usd:
        return ""
    if not people:
        return f"${usd:f} spent, no click yet"
    each = usd / people
    place = _CENT if each >= 1 else _MILL
    return f"${usd:f} spent, ${each.quantize(place, ROUND_HALF_UP):f} a click"


def _clicks(origins: list[int | None]) -> dict[int, tuple[int, int]]:
    """People and machines that followed the links of each origin; who is still in quarantine is neither."""
    found = Event.objects.filter(origin_id__in=origins, kind="click").values_list("origin_id")
    human, other = Q(verdict=Event.Verdict.HUMAN), ~Q(verdict__in=_WAITING)
    counted = found.annotate(people=Count("id", filter=human), machines=Count("id", filter=other))
    return {int(origin or 0): (people, machines) for origin, people, machines in counted}


def _read(origins: list[int | None]) -> dict[int, Response]:
    latest = Response.objects.filter(origin_id__in=origins).order_by("origin_id", "-at").distinct("origin_id")
    return {one.origin_id: one for one in latest}
