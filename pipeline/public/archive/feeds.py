"""The archive for machines: RSS of a newsletter, the sitemap, and what robots may read."""

from __future__ import annotations

from datetime import datetime
from xml.sax.saxutils import escape

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils.feedgenerator import Rss201rev2Feed
from django.views.decorators.http import require_safe

from pipeline.articles.models import Bulletin
from pipeline.audience.words import words
from pipeline.editions.designs.cleaning import clean
from pipeline.editions.models import Item
from pipeline.public.archive import shelves
from pipeline.public.archive.answers import kept
from pipeline.public.archive.pages import address, language_of, newsletter_of

IN_FEED = 30
#: sitemaps.org: in one file.
IN_SITEMAP = 50_000
_ROBOTS = """User-agent: *
Allow: /archive/
Allow: /join/
Allow: /popular
Allow: /static/
Disallow: /

Sitemap: {sitemap}
"""
_SAID = (Bulletin.Kind.CORRECTION, Bulletin.Kind.RETRACTION, Bulletin.Kind.KILL, Bulletin.Kind.GONE)


@require_safe
def as_rss(request: HttpRequest, slug: str) -> HttpResponse:
    """RSS 2.0: an edition's address is its guid for ever, whatever was corrected in it."""
    found = newsletter_of(slug)
    say, rows = words(language_of(found)), list(shelves.listed(newsletter=found)[:IN_FEED])
    feed = Rss201rev2Feed(
        title=clean(found.name),
        link=address("archive_newsletter", slug=slug),
        description=clean(say("archive.about", name=found.name, publisher=found.from_name)),
        language=clean(language_of(found)),
        feed_url=address("archive_feed", slug=slug),
    )
    for row in rows:
        here = address("archive_edition", slug=slug, edition_id=row.id)
        feed.add_item(
            title=shelves.title(row, say), link=here, description=shelves.teaser(row), unique_id=here,
            unique_id_is_permalink=True, pubdate=row.sent_at,
        )  # fmt: skip
    changed_at = max((row.changed_at for row in rows), default=None)
    body = feed.writeString("utf-8")
    return kept(request, HttpResponse(body, content_type="application/rss+xml; charset=utf-8"), changed_at=changed_at)


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every page of the archive, editions newest first, each with when it last changed."""
    corrected = _corrected()
    stamps = {
        address("archive_edition", slug=slug, edition_id=number): max(sent, corrected.get(number, sent))
        for number, slug, sent in shelves.editions()
        .order_by("-slot_at", "-id")
        .values_list("id", "newsletter__slug", "sent_at")[: IN_SITEMAP - 1000]
    }
    shelf = {address("archive_newsletter", slug=row.slug): row.latest for row in shelves.newsletters() if row.latest}
    pages = {address("archive"): max(stamps.values(), default=None), **dict(list(shelf.items())[:999]), **stamps}
    rows = "".join(f"<url><loc>{escape(page)}</loc>{_stamp(at)}</url>\n" for page, at in pages.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</urlset>\n'
    answer = HttpResponse(body, content_type="application/xml; charset=utf-8")
    return kept(request, answer, changed_at=max(stamps.values(), default=None))


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """The archive is for everybody; readers' own pages are not."""
    body = _ROBOTS.format(sitemap=address("archive_sitemap"))
    return kept(request, HttpResponse(body, content_type="text/plain; charset=utf-8"), changed_at=None)


def _corrected() -> dict[int, datetime]:
    """When the latest correction or withdrawal touched an edition, where one did."""
    items = Item.objects.filter(shelves.CARRIED, article__bulletins__kind__in=_SAID)
    return dict(items.values_list("edition_id").annotate(at=Max("article__bulletins__at")).order_by())


def _stamp(at: datetime | None) -> str:
    return f"<lastmod>{at:%Y-%m-%dT%H:%M:%SZ}</lastmod>" if at else ""
