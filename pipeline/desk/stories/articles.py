"""Articles listed: where each is in, or why it is not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.articles.models import Article, Hold
from pipeline.desk import frame, sign_in, words
from pipeline.desk.reasons import codes
from pipeline.desk.stories import holds
from pipeline.editions.models import Item
from pipeline.posts.models import Post

PAGE = 40
MOST_EDITIONS = 200  #: among which an article is looked for
#: Heavy columns that no list shows.
UNSHOWN = ("text", "related", "markers")
LONGEST_ID = 18  #: digits of a number that a row can have
Uses = dict[int, list[dict[str, str]]]


def newest() -> QuerySet[Article]:
    """Articles, newest first: ids grow with first sight, and the key is indexed."""
    return Article.objects.select_related("source").defer(*UNSHOWN).order_by("-id")


def why(row: Article, *, zone: str) -> str:
    """Why an article is in its state."""
    return codes.sentence(codes.ARTICLE, row.code, row.params, zone=zone) if row.code else ""


def rows(found: list[Article], *, zone: str) -> list[dict[str, Any]]:
    """Articles as lists show them: of those found at one look, the latest published first. Five queries."""
    ids = [row.id for row in found]
    places, excuses, said, held = _places(ids), _excuses(ids), _said(ids), _holds(ids)
    return [
        {
            "id": row.id,
            "headline": row.headline,
            "url": frame.safe_link(row.url),
            "section": words.place(row.section_path),
            "place": (row.dateline or {}).get("place") or "",
            "source": row.source.name,
            "at": row.first_seen_at,
            "badge": words.badge("article", row.state),
            "why": why(row, zone=zone),
            "uses": places.get(row.id, []) + said.get(row.id, []),
            "excuse": "" if row.id in places else excuses.get(row.id, ""),
            "hold": held.get(row.id) if row.state == Article.State.HELD else None,
        }
        for row in sorted(found, key=_age, reverse=True)
    ]


def _age(row: Article) -> tuple[datetime, datetime]:
    return (row.first_seen_at, row.published_at or row.first_seen_at)


def _places(ids: list[int]) -> Uses:
    """Editions an article is in, with its number from the top. Two queries."""
    picks, shown = Item.objects.filter(article_id__in=ids, picked=True), set(ids)
    holders = set(picks.order_by("-edition_id").values_list("edition_id", flat=True)[:MOST_EDITIONS])
    items = Item.objects.filter(edition_id__in=holders, picked=True)
    ordered = items.order_by("edition__slot_at", "edition_id", "block__position", "position")
    found: Uses = {}
    counts: dict[int, int] = {}
    for edition_id, article_id, name in ordered.values_list("edition_id", "article_id", "edition__newsletter__name"):
        counts[edition_id] = counts.get(edition_id, 0) + 1
        if article_id in shown:
            url = reverse("desk:edition", kwargs={"edition_id": edition_id})
            found.setdefault(article_id, []).append({"words": f"{name} #{counts[edition_id]}", "url": url})
    return found


def _excuses(ids: list[int]) -> dict[int, str]:
    """Why the latest edition that considered an article left it out."""
    missed = Item.objects.filter(article_id__in=ids, picked=False).select_related("edition__newsletter")
    latest = missed.order_by("article_id", "-edition__slot_at", "-id").distinct("article_id")
    return {item.article_id: f"Not in {item.edition.newsletter.name}: {_excuse(item)}" for item in latest}


def _excuse(item: Item) -> str:
    return codes.sentence(codes.ITEM, item.code, item.params, zone=frame.zone_of(item.edition.newsletter))


def _said(ids: list[int]) -> Uses:
    found: Uses = {}
    for post in Post.objects.filter(article_id__in=ids).select_related("account").order_by("id")[: 10 * PAGE]:
        label = f"{post.account.network} {words.badge('post', post.state).label}"
        url = frame.safe_link(post.remote_url) or reverse("desk:posts") + f"#post-{post.id}"
        found.setdefault(post.article_id, []).append({"words": label, "url": url})
    return found


def _holds(ids: list[int]) -> dict[int, int]:
    return dict(Hold.objects.filter(article_id__in=ids, released_at=None).values_list("article_id", "id"))


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """Every article, newest first, by state, source or held batch where asked. What one event held is one card."""
    state, batch, source = (request.GET.get(name, "") for name in ("state", "batch", "source"))
    state = state if state in Article.State.values else ""
    zone = frame.newsroom_zone()
    events = holds.batches(zone=zone) if state == Article.State.HELD and not batch else []
    found = _asked(newest(), state=state, batch=batch, source=source)
    if events:
        found = found.exclude(id__in=holds.held_by([event["batch"] for event in events]))
    part = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "now": timezone.now(),
        "zone": zone,
        "may_edit": request.user.may_edit,
        "batches": events,
        "articles": rows(list(part), zone=zone),
        "pages": frame.pages(part),
        "state": state,
        "kept": {name: value for name, value in (("batch", batch), ("source", source)) if value},
        "states": [(value, words.badge("article", value)) for value in Article.State.values],
    }
    return render(request, "desk/articles.html", context)


def _asked(found: QuerySet[Article], *, state: str, batch: str, source: str) -> QuerySet[Article]:
    if state:
        found = found.filter(state=state)
    if batch:
        found = found.filter(id__in=holds.held_by([batch]))
    if source.isascii() and source.isdigit() and len(source) < LONGEST_ID:
        found = found.filter(source_id=int(source))
    return found
