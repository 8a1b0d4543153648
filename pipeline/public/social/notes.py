"""The note on a story that was corrected or withdrawn: where links of posts lead that say what is not so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from pipeline.articles.models import Article, Bulletin
from pipeline.kernel.config import config
from pipeline.posts.acts.notes import article_of

CACHE = "public, max-age=60"
_NO_NOTE = "There is no note here: the link was cut short on its way, or the story was not corrected."
_TAKEN_BACK = (Bulletin.Kind.RETRACTION, Bulletin.Kind.KILL, Bulletin.Kind.GONE)


@dataclass(frozen=True, slots=True)
class Change:
    """One correction: the site's own words ("" where it gave none), and the headline it changed ("" where it did not)."""

    at: datetime
    said: str
    before: str
    after: str


@require_safe
def note(request: HttpRequest, token: str) -> HttpResponse:
    """What was wrong, what changed and when. A story that is back unchanged has no note: its link leads to it."""
    article = (
        Article.objects.select_related("source").filter(id=article_of(token, secrets=config().secrets) or 0).first()
    )
    if article is None:
        raise Http404(_NO_NOTE)
    told = list(article.bulletins.exclude(kind__in=[Bulletin.Kind.NEW, Bulletin.Kind.UPDATE]).order_by("at", "id"))
    changed = changes(article, told)
    if not is_withdrawn(article) and not changed:
        return _back(article, told)
    page = render(request, "public/note.html", _shown(article, told, changed))
    page.headers["Cache-Control"], page.headers["X-Robots-Tag"] = CACHE, "noindex"
    return page


def _back(article: Article, told: list[Bulletin]) -> HttpResponse:
    """Its page was away and is there again."""
    if told and (there := link(article.url)):
        return redirect(there)
    raise Http404(_NO_NOTE)


def _shown(article: Article, told: list[Bulletin], changed: list[Change]) -> dict[str, Any]:
    """Of what was killed or is gone, nothing is repeated; a site that withdraws in public is quoted."""
    withdrawn = is_withdrawn(article)
    last = last_word(told) if withdrawn else None
    how = last.kind if last else Bulletin.Kind.GONE if withdrawn else ""
    is_public = how in ("", Bulletin.Kind.RETRACTION)
    return {
        "publisher": article.source.name,
        "home": link(article.source.home_url),
        "zone": article.source.zone,
        "how": how,
        "published": article.published_at or article.announced_at,
        "withdrawn": last.at if last else article.killed_at,
        "said": last.said if last and how == Bulletin.Kind.RETRACTION else "",
        "headline": article.headline if is_public else "",
        "link": link(article.url) if is_public else "",
        "changes": changed if is_public else [],
    }


def is_withdrawn(article: Article) -> bool:
    """Whether its words may not be repeated."""
    return article.state in (Article.State.KILLED, Article.State.GONE)


def last_word(told: list[Bulletin]) -> Bulletin | None:
    """The bulletin that took a story back, of all there are in their order."""
    return next((one for one in reversed(told) if one.kind in _TAKEN_BACK), None)


def changes(article: Article, told: list[Bulletin]) -> list[Change]:
    """The corrections among these bulletins, the latest first."""
    corrections = [one for one in told if one.kind == Bulletin.Kind.CORRECTION]
    if not corrections:
        return []
    said = dict(article.versions.order_by("number").values_list("number", "headline"))
    return [
        Change(at=one.at, said=one.said.strip(), before=before, after=after)
        for one in reversed(corrections)
        for before, after in [_headlines(said, one.version)]
    ]


def _headlines(said: dict[int, str], version: int) -> tuple[str, str]:
    """The headline before a version and in it, both "" where they are the same or one is not known."""
    earlier = [number for number in said if number < version]
    before, after = said[max(earlier)] if earlier else "", said.get(version, "")
    return (before, after) if before and after and before != after else ("", "")


def link(url: str) -> str:
    """An address people may be sent to, else ""."""
    return url if url.lower().startswith(("https://", "http://")) else ""
