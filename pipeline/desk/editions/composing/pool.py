"""What else could be in an edition: found by words or a pasted address, told with its fate, put in with a press."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.articles.addresses import comparable
from pipeline.articles.models import Alias, Article
from pipeline.desk import frame, sign_in
from pipeline.desk.editions import page, stories
from pipeline.desk.reasons import codes
from pipeline.desk.stories import articles
from pipeline.editions.acts.merging import OUT
from pipeline.editions.models import Edition, Item
from pipeline.staff import people

MOST_CHARS, MOST_WORDS, MOST_SHOWN = 2000, 8, 30
#: Stories older than these are put in from their own pages.
MOST_LOOKED_AT = 20_000
SHOWS = {
    "all": "Any story",
    "missed": "Missed the cut-off",
    "excluded": "Excluded, and why",
}
_CANNOT = {
    Article.State.HELD: "It is held: release it first.",
    Article.State.KILLED: "It was killed.",
}


@sign_in.required
@require_safe
def pool(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """Stories to add; a list for the page that asks for it, a page of its own for a browser without script."""
    rows = Edition.objects.select_related("newsletter")
    row = get_object_or_404(rows, id=edition_id)
    asked = request.GET.get("q", "").replace("\0", "").strip()[:MOST_CHARS]
    show = request.GET.get("show", "")
    show = show if show in SHOWS else "all"
    context = {
        "now": timezone.now(),
        "zone": frame.zone_of(row.newsletter),
        "asked": asked,
        "show": show,
        "shows": SHOWS,
        **told(row, asked=asked, show=show, may_edit=people.may_edit(request.user, row.newsletter_id)),
    }
    return render(request, "desk/edition_pool_found.html" if request.htmx else "desk/edition_pool.html", context)


def told(row: Edition, *, asked: str, show: str, may_edit: bool) -> dict[str, Any]:
    """What was found, each with its fate in this edition. Nine queries, whatever is found."""
    items = {item.article_id: item for item in row.items.select_related("block")}
    found = list(_looked_up(row, asked=asked, show=show)[: MOST_SHOWN + 1])
    zone = frame.zone_of(row.newsletter)
    return {
        "edition": {"id": row.id, "revision": row.revision, "name": row.newsletter.name},
        "stood": OUT,
        "takers": stories.takers(row.newsletter.blocks.all()) if may_edit and page.may_place(row) else [],
        "found": [
            told_ | _fate(article, items.get(article.id), zone=zone)
            for article, told_ in _rows(found[:MOST_SHOWN], zone=zone)
        ],
        "has_more": len(found) > MOST_SHOWN,
    }


def _rows(found: list[Article], *, zone: str) -> Iterable[tuple[Article, dict[str, Any]]]:
    by_id = {article.id: article for article in found}
    return [(by_id[told_["id"]], told_) for told_ in articles.rows(found, zone=zone)]


def _looked_up(row: Edition, *, asked: str, show: str) -> QuerySet[Article]:
    found = articles.newest()
    if show == "missed":
        found = found.filter(id__in=row.items.filter(picked=False, code="missed_cutoff").values("article_id"))
    elif show == "excluded":
        out = row.items.filter(picked=False).exclude(code__in=("missed_cutoff", "no_room"))
        found = found.filter(id__in=out.values("article_id"))
    if not asked:
        return found if show != "all" else found.exclude(id__in=row.items.filter(picked=True).values("article_id"))
    if asked.lower().startswith(("https://", "http://")):
        names = Alias.objects.filter(kind="url", value=comparable(asked.split(maxsplit=1)[0])).values("article_id")
        return found.filter(id__in=names)
    newest = Article.objects.order_by("-id").values("id")[:MOST_LOOKED_AT]
    wanted = [Q(headline__icontains=word) for word in asked.split()[:MOST_WORDS]]
    return found.filter(reduce(and_, wanted, Q(id__in=newest)))


def _fate(article: Article, item: Item | None, *, zone: str) -> dict[str, Any]:
    """Where it stands in this edition or why it does not, and whether it may be put in."""
    cannot = _CANNOT.get(Article.State(article.state), "It was killed." if article.killed_at else "")
    if item is not None and item.picked:
        where = stories.title_of(item.block) if item.block else "it"
        return {"is_in": True, "fate": f"In it already: {where}.", "cannot": cannot}
    if item is None:
        return {"is_in": False, "fate": "Not considered for this edition.", "cannot": cannot}
    return {
        "is_in": False,
        "fate": f"Not in it: {codes.sentence(codes.ITEM, item.code, item.params, zone=zone)}.",
        "cannot": cannot,
    }
