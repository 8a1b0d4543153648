"""Which editions stand in the archive, and what each is called there."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from pipeline.articles.models import Article
from pipeline.audience.words import Words
from pipeline.editions.designs.cleaning import clean
from pipeline.editions.models import Edition, Item, Newsletter
from pipeline.editions.render import dated

#: Its words are not repeated any more, whoever took it back.
WITHDRAWN = Q(article__state__in=[Article.State.KILLED, Article.State.GONE]) | Q(article__killed_at__isnull=False)
#: What readers of an edition got: its stories, and those that were killed while it was leaving.
CARRIED = Q(picked=True) | Q(code="killed")


def newsletters() -> QuerySet[Any]:
    """Those whose editions are public, by name, with `latest` where any has been sent."""
    latest = Max("editions__slot_at", filter=Q(editions__state=Edition.State.SENT))
    return Newsletter.objects.filter(is_archived=True).annotate(latest=latest).order_by("name", "id")


def editions(**of: Any) -> QuerySet[Any]:
    """Those that wholly left, newest first, with `sent_at`, `is_cut` (a story was withdrawn) and `changed_at`."""
    withdrawn = Item.objects.filter(CARRIED, WITHDRAWN, edition_id=OuterRef("id"))
    last = withdrawn.order_by(F("article__killed_at").desc(nulls_last=True)).values("article__killed_at")[:1]
    sent = Edition.objects.filter(state=Edition.State.SENT, rendering__isnull=False, newsletter__is_archived=True)
    return (
        sent.filter(**of)
        .select_related("newsletter__topic", "rendering")
        .annotate(sent_at=Coalesce("ended_at", "slot_at"), is_cut=Exists(withdrawn))
        .annotate(changed_at=Greatest("sent_at", Subquery(last)))
        .order_by("-slot_at", "-id")
    )


def listed(**of: Any) -> QuerySet[Any]:
    """Likewise, without the message."""
    return editions(**of).defer("rendering__html", "rendering__text", "rendering__links", "preflight", "note")


def title(edition: Any, say: Words) -> str:
    """The subject it had; only its date where a story was withdrawn, whose headline the subject may be."""
    if edition.is_cut or not edition.rendering.subject:
        return say("archive.edition", name=edition.newsletter.name, date=day(edition, say))
    return str(clean(edition.rendering.subject))


def teaser(edition: Any) -> str:
    """The line below the subject, "" where it may repeat what was withdrawn."""
    return "" if edition.is_cut else str(clean(edition.rendering.preheader))


def day(edition: Edition, say: Words, at: datetime | None = None) -> str:
    """Its slot, or another instant, on the newsletter's clock with the zone."""
    return dated(at or edition.slot_at, say.language, zone_of(edition.newsletter))


def zone_of(newsletter: Newsletter) -> str:
    """The clock a newsletter lives by; UTC where what was entered is none."""
    name = str(newsletter.cadence.get("zone") or newsletter.masthead.get("zone") or "UTC")
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        return "UTC"
