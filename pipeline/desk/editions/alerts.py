"""Raising an alert: one story, which newsletter, two lines of so-what, and when readers were last alarmed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.articles.models import Article
from pipeline.audience import counts
from pipeline.desk import frame, sign_in, words
from pipeline.desk.editions.acts import SOON, composed, number_of
from pipeline.desk.stories import articles
from pipeline.desk.stories.holds import reason_of
from pipeline.editions.acts import alerts
from pipeline.editions.acts.review import Refused
from pipeline.editions.choosing.pool import GONE
from pipeline.editions.models import Edition, Item, Newsletter
from pipeline.kernel.pages import ago
from pipeline.staff.models import Role

MOST_NEWSLETTERS, MOST_STORIES, MOST_LINES = 20, 15, 2
#: Editions that alarmed readers, or wait to.
ALARMED = (*GONE, Edition.State.READY)
HEADS = (Role.ADMIN, Role.HEAD)


@sign_in.required
@require_safe
def alert(request: sign_in.Guest) -> HttpResponse:
    """The page; without a story, the latest to choose from."""
    return shown(request, article_id=number_of(request.GET.get("article", "")))


@sign_in.required
@require_POST
def raise_alert(request: sign_in.Guest) -> HttpResponse:
    """Compose it, to be approved like any edition. What was written is shown again where it is not taken."""
    draft = {name: request.POST.get(name, "") for name in ("newsletter", "so_what", "reason")}
    article_id, lines = number_of(request.POST.get("article", "")), _lines(draft["so_what"])
    so_what = "\n\n".join(lines)
    if len(lines) > MOST_LINES or len(so_what) > alerts.LONGEST_SO_WHAT:
        why = f"The so-what has {len(lines)} lines and {len(so_what)} characters; {MOST_LINES} lines and {alerts.LONGEST_SO_WHAT} characters fit. Nothing was sent."
        return shown(request, article_id=article_id, draft=draft, refused=why, status=400)
    try:
        row = alerts.raise_alert(
            newsletter_id=number_of(draft["newsletter"]), article_id=article_id, so_what=so_what, actor=request.user,
            now=timezone.now(), despite=reason_of(request),
        )  # fmt: skip
    except Newsletter.DoesNotExist:
        why = "Choose the newsletter it goes to. Nothing was sent."
        return shown(request, article_id=article_id, draft=draft, refused=why, status=400)
    except Refused as error:
        return shown(request, article_id=article_id, draft=draft, refused=str(error), status=409)
    said = "Raised. Nothing was sent yet: look at it here, then approve it."
    messages.success(request, said if composed(row) else f"{said} {SOON}")
    return redirect("desk:edition", edition_id=row.id)


def shown(
    request: sign_in.Guest, *, article_id: int, draft: dict[str, str] | None = None, refused: str = "", status: int = 200
) -> HttpResponse:  # fmt: skip
    """The page of an alert."""
    now, zone = timezone.now(), frame.newsroom_zone()
    story = Article.objects.select_related("source").filter(id=article_id).first()
    if article_id and story is None:
        raise Http404("There is no such story.")
    newsletters = [_newsletter(row, now=now) for row in _alerting()]
    before = _before(story, now=now) if story else []
    braked = bool(before) or any(row["paused"] for row in newsletters)
    context = {
        "now": now,
        "zone": zone,
        "may_edit": request.user.may_edit,
        "newsletters": newsletters,
        "story": articles.rows([story], zone=zone)[0] if story else None,
        "tellable": story is not None and story.announced_at is not None and story.killed_at is None,
        "before": before,
        "braked": braked,
        "is_head": request.user.role in HEADS,
        "stories": [] if story else articles.rows(_latest(), zone=zone),
        "draft": draft or {"newsletter": "", "so_what": "", "reason": ""},
        "refused": refused,
        "longest": alerts.LONGEST_SO_WHAT,
    }
    return render(request, "desk/edition_alert.html", context, status=status)


def _alerting() -> list[Newsletter]:
    rows = Newsletter.objects.filter(kind=Newsletter.Kind.ALERT, state=Newsletter.State.ACTIVE)
    return list(rows.order_by("name")[:MOST_NEWSLETTERS])


def _newsletter(row: Newsletter, *, now: datetime) -> dict[str, Any]:
    """Three queries each; there are few of them."""
    last = alerts.last_alert(row, now=now)
    pause = timedelta(seconds=row.cool_down_s)
    readers = counts.count(topic_id=row.topic_id, segment=row.segment, slot_at=now, now=now, rests=row.judges_silence)
    left = (last.slot_at + pause - now).total_seconds() if last else 0
    return {
        "id": row.id,
        "name": row.name,
        "readers": words.count(readers, "reader"),
        "last": f"alerted {ago(last.slot_at, now)}" if last else "never alerted",
        "subject": last.subject if last else "",
        "paused": f"within the pause of {words.duration(row.cool_down_s)}; it ends in {words.duration(left)}"
        if left > 0
        else "",
    }


def _before(story: Article, *, now: datetime) -> list[dict[str, Any]]:
    """Alerts of this very story."""
    rows = Item.objects.filter(
        article=story, picked=True, edition__state__in=ALARMED, edition__newsletter__kind=Newsletter.Kind.ALERT
    ).select_related("edition__newsletter")
    return [
        {"name": row.edition.newsletter.name, "ago": ago(row.edition.slot_at, now), "edition_id": row.edition_id}
        for row in rows.order_by("-edition__slot_at")[:5]
    ]


def _latest() -> list[Article]:
    told = Article.objects.filter(state=Article.State.ELIGIBLE, announced_at__isnull=False, killed_at=None)
    return list(told.select_related("source").order_by("-first_seen_at", "-id")[:MOST_STORIES])


def _lines(said: str) -> list[str]:
    printable = ("".join(c if c.isprintable() else " " for c in line) for line in said.splitlines())
    return [" ".join(line.split()) for line in printable if line.strip()]
