"""What the palette finds for some words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from pipeline.articles.models import Article
from pipeline.desk import frame, sign_in
from pipeline.editions.models import Edition, Newsletter
from pipeline.posts.models import Account
from pipeline.sources.models import Source

MOST_CHARS = 80
MOST_OF_A_KIND = 5
#: Stories older than these are found on the Articles screen, which pages.
MOST_STORIES = 20_000


@dataclass(frozen=True, slots=True)
class Found:
    """One link: what it is, in a word, and what it is called."""

    kind: str
    label: str
    url: str


@sign_in.required
@require_safe
def find(request: sign_in.Guest) -> HttpResponse:
    """Links for what was typed, as a list to put below the box."""
    asked = request.GET.get("q", "").replace("\0", "").strip()[:MOST_CHARS]
    found = [*screens(asked), *(_rows(asked) if asked else [])]
    return render(request, "desk/palette/found.html", {"asked": asked, "found": found})


def screens(asked: str) -> list[Found]:
    """Screens whose name holds the words, all for none."""
    known = [*frame.SCREENS, *frame.MORE]
    return [
        Found("Screen", one.label, reverse(f"desk:{one.name}")) for one in known if asked.casefold() in one.label.casefold()
    ]  # fmt: skip


def _rows(asked: str) -> list[Found]:
    return [*_newsletters(asked), *_editions(asked), *_stories(asked), *_sites(asked), *_accounts(asked)]


def _newsletters(asked: str) -> Iterable[Found]:
    for row in Newsletter.objects.filter(name__icontains=asked).order_by("name")[:MOST_OF_A_KIND]:
        yield Found("Newsletter", row.name, reverse("desk:newsletter", args=[row.id]))


def _editions(asked: str) -> Iterable[Found]:
    wanted = Q(subject__icontains=asked) | Q(newsletter__name__icontains=asked)
    for row in Edition.objects.filter(wanted).select_related("newsletter").order_by("-slot_at", "-id")[:MOST_OF_A_KIND]:
        name = f"{row.newsletter.name}, {row.slot_at.astimezone(frame.clock_of(row.newsletter)):%d %b %Y %H:%M}"
        yield Found(
            "Edition", f"{name}: {row.subject}" if row.subject else name, reverse("desk:edition", args=[row.id])
        )


def _stories(asked: str) -> Iterable[Found]:
    newest = Article.objects.order_by("-id").values("id")[:MOST_STORIES]
    for row in Article.objects.filter(id__in=newest, headline__icontains=asked).order_by("-id")[:MOST_OF_A_KIND]:
        yield Found("Story", row.headline, reverse("desk:article", args=[row.id]))


def _sites(asked: str) -> Iterable[Found]:
    for row in Source.objects.filter(name__icontains=asked).order_by("name")[:MOST_OF_A_KIND]:
        yield Found("Source", row.name, reverse("desk:source", args=[row.id]))


def _accounts(asked: str) -> Iterable[Found]:
    wanted = Q(handle__icontains=asked) | Q(network__icontains=asked)
    for row in Account.objects.filter(wanted).order_by("handle")[:MOST_OF_A_KIND]:
        yield Found("Account", f"{row.handle} ({row.network})", reverse("desk:social_account", args=[row.id]))
