"""The archive for people: its newsletters, a newsletter's editions, and one edition."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from pipeline.audience.words import Words, catalogue
from pipeline.editions.models import Edition, Newsletter
from pipeline.editions.render import dated
from pipeline.kernel.config import config
from pipeline.public.archive import copies, shelves
from pipeline.public.archive.answers import kept
from pipeline.public.archive.notes import Note, notes_of, withdrawn
from pipeline.public.readers import visitors

A_PAGE = 20
#: A mail's own styles are inline; nothing in it may run, be sent anywhere, or act as a page of ours.
POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Every newsletter whose editions are public."""
    say = visitors.language_of(request)
    rows = list(shelves.newsletters())
    values = _frame(say, address("archive")) | {
        "publisher": visitors.publisher(),
        "newsletters": [_shelf(row, say) for row in rows],
    }
    page = render(request, "public/archive.html", values)
    patch_vary_headers(page, ["Accept-Language"])
    return kept(request, page, changed_at=max((row.latest for row in rows if row.latest), default=None))


@require_safe
def newsletter(request: HttpRequest, slug: str) -> HttpResponse:
    """A newsletter's editions, newest first. 404 for a page there is not."""
    found = newsletter_of(slug)
    say = visitors.language_of(request, known=language_of(found))
    number = request.GET.get("page", "1")
    pages = Paginator(shelves.listed(newsletter=found), A_PAGE)
    if not (number.isascii() and number.isdigit() and len(number) < 7 and 1 <= int(number) <= pages.num_pages):
        raise Http404("The archive has no such page.")
    shown = pages.page(int(number))
    rows = list(shown.object_list)
    here = address("archive_newsletter", slug=slug)
    values = _frame(say, f"{here}?page={number}" if int(number) > 1 else here) | {
        "newsletter": _shelf(found, say),
        "editions": [_row(edition, say) for edition in rows],
        "newer": int(number) - 1,
        "older": int(number) + 1 if shown.has_next() else 0,
        "place": say("archive.page", number=number, count=pages.num_pages),
        "join": door(found),
    }
    page = render(request, "public/archive_newsletter.html", values)
    return kept(request, page, changed_at=max((row.changed_at for row in rows), default=None))


@require_safe
def edition(request: HttpRequest, slug: str, edition_id: int) -> HttpResponse:
    """One edition as it was sent to everybody, with what was corrected since above it."""
    found = get_object_or_404(shelves.editions(newsletter__slug=slug), id=edition_id)
    say, notes = visitors.language_of(request, known=language_of(found.newsletter)), notes_of(found)
    message = copies.shown(found, withdrawn=withdrawn(notes))
    here = address("archive_edition", slug=slug, edition_id=edition_id)
    values = _frame(say, here) | {
        "title": shelves.title(found, say),
        "teaser": shelves.teaser(found),
        "newsletter": _shelf(found.newsletter, say),
        "date": shelves.day(found, say),
        "sent": found.sent_at,
        "notes": [told(note, found, say) for note in notes],
        "join": door(found.newsletter),
    }
    if message is None:
        page = render(request, "public/archive_removed.html", values)
    else:
        words = copies.Words(join=say("archive.join", name=found.newsletter.name), door=values["join"], here=here)
        head = render_to_string("public/archive_head.html", values)
        bar = render_to_string("public/archive_bar.html", values)
        page = HttpResponse(copies.page(message, words=words, head=head, bar=bar))
        page.headers["Content-Security-Policy"] = POLICY
    stamps = [note.at for note in notes if note.at]
    return kept(request, page, changed_at=max([found.changed_at, *stamps]))


def newsletter_of(slug: str) -> Newsletter:
    """Raises Http404 for one that is not archived."""
    found: Newsletter = get_object_or_404(shelves.newsletters().select_related("topic"), slug=slug)
    return found


def language_of(row: Newsletter) -> str:
    """The language it is written in; "" is English."""
    return str(row.masthead.get("language") or "en")


def address(name: str, **arguments: Any) -> str:
    """A page of the archive, for those who come from elsewhere."""
    return f"{config().site_url}{reverse(name, kwargs=arguments)}"


def door(row: Newsletter) -> str:
    """Where anybody can join it, or another where it is not offered."""
    return f"{address('join')}?topic={row.topic.slug}" if row.topic.is_offered else address("join")


def _frame(say: Words, here: str) -> dict[str, Any]:
    return {"say": say, "here": here, "languages": list(catalogue().values())}


def _shelf(row: Newsletter, say: Words) -> dict[str, Any]:
    latest = getattr(row, "latest", None)
    return {
        "slug": row.slug,
        "name": row.name,
        "publisher": row.from_name,
        "about": row.topic.about if "topic" in row._state.fields_cache else "",
        "latest": dated(latest, say.language, shelves.zone_of(row)) if latest else "",
        "feed": address("archive_feed", slug=row.slug),
        "page": address("archive_newsletter", slug=row.slug),
    }


def _row(row: Edition, say: Words) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": shelves.title(row, say),
        "teaser": shelves.teaser(row),
        "date": shelves.day(row, say),
    }


def told(note: Note, found: Edition, say: Words) -> dict[str, Any]:
    """A note in the reader's words, as the page sets it."""
    date = shelves.day(found, say, note.at) if note.at else ""
    return {
        "title": say(f"archive.{note.how}", date=date) if date else say(f"archive.{note.how}_undated"),
        "headline": note.headline,
        "link": note.link,
        "said": [note.said] if note.said else [change.said for change in note.changes if change.said],
        "changes": [change for change in note.changes if change.before],
        "is_silent": note.how == "correction" and not any(change.said for change in note.changes),
    }
