"""From a newsletter's rules and the eligible articles to an edition that is ready, skipped or held."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.query import QuerySet

from pipeline.articles.models import Article
from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Picture, Story
from pipeline.editions.models import Edition, Item, Newsletter, Rendering
from pipeline.editions.preflight import Facts, check
from pipeline.editions.render import render
from pipeline.editions.rendered import Doors, LinkTable, Rendered
from pipeline.editions.review import TAKEN_BACK
from pipeline.editions.select import POPULAR, Candidate, Choice, Frame, Rule, select
from pipeline.kernel.config import config
from pipeline.ranking.models import Standing

#: Reading speed of adults in their own language, words a minute (Brysbaert 2019: 238 for English non-fiction).
WORDS_A_MINUTE = 238
MOST_CANDIDATES = 500
LOOK_AGAIN = timedelta(minutes=1)
#: States in which composing again is still possible; after approval a person must take it back first.
OPEN_STATES = (Edition.State.PLANNED, Edition.State.COLLECTING, Edition.State.READY)


@transaction.atomic
def compose(*, edition_id: int, now: datetime) -> str | None:
    """Fill, render and check an edition; the state it is in afterwards, or None if it was not open.

    Composing again is harmless: items and rendering are replaced, an editor's subject and note stay.
    """
    edition = (
        Edition.objects.select_for_update(of=("self",))
        .select_related("newsletter")
        .filter(id=edition_id, state__in=OPEN_STATES)
        .first()
    )
    if edition is None:
        return None
    choices = select(candidates(edition), rules=rules_of(edition.newsletter), frame=frame_of(edition))
    _keep_items(edition, choices)
    found = sum(1 for choice in choices if choice.picked and _is_news(choice))
    if found < edition.newsletter.minimum:
        return _too_few(edition, found=found, now=now)
    return _render(edition, now=now)


def _too_few(edition: Edition, *, found: int, now: datetime) -> str:
    """Until the cut-off stories may still come, so it goes on collecting; after it the slot is skipped."""
    over = now >= cutoff_of(edition)
    state = Edition.State.SKIPPED if over else Edition.State.COLLECTING
    edition.composed_at = now
    return _settle(edition, state, "below_minimum", now=now, found=found, minimum=edition.newsletter.minimum)


def waits_for_stories(edition: Edition, *, now: datetime) -> bool:
    """Whether it had too few stories a moment ago and its cut-off has not come: no need to look again yet."""
    return (
        edition.code == "below_minimum"
        and edition.composed_at is not None
        and now < min(cutoff_of(edition), edition.composed_at + LOOK_AGAIN)
    )


def _render(edition: Edition, *, now: datetime) -> str:
    taken_back = edition.code == TAKEN_BACK
    content = content_of(edition)
    rendered = render(content, origin_links=LinkTable())
    findings = check(rendered, content, facts=_facts(edition))
    _keep_rendering(edition, rendered, now=now)
    edition.subject, edition.preheader = rendered.subject, rendered.preheader
    edition.preflight = findings.as_json()["findings"]
    edition.composed_at = now
    if findings.blocked:
        return _settle(edition, Edition.State.HELD, "preflight", now=now)
    return _settle(edition, Edition.State.READY, TAKEN_BACK if taken_back else "", now=now)


def _settle(edition: Edition, state: Edition.State, code: str = "", *, now: datetime, **params: Any) -> str:
    edition.state, edition.code, edition.params = state, code, params
    edition.revision += 1
    if state == Edition.State.SKIPPED:
        edition.ended_at = now
    edition.save()
    return str(state.value)


def rules_of(newsletter: Newsletter) -> list[Rule]:
    """The newsletter's blocks as rules."""
    return [Rule.of(position=b.position, kind=b.kind, title=b.title, rule=b.rule) for b in newsletter.blocks.all()]


def cutoff_of(edition: Edition) -> datetime:
    """From when on nothing changes by itself; the first edition's is never before its newsletter began."""
    newsletter = edition.newsletter
    return max(edition.slot_at - timedelta(seconds=newsletter.cutoff_before_s), newsletter.created_at)


def frame_of(edition: Edition) -> Frame:
    """From the first edition's window until the cut-off; what left before is known from the ledger, not the clock."""
    newsletter = edition.newsletter
    return Frame(
        since=newsletter.created_at - timedelta(hours=newsletter.first_window_h),
        cutoff_at=cutoff_of(edition),
        most_age_h=newsletter.max_age_h,
    )


def candidates(edition: Edition) -> list[Candidate]:
    """Articles that could be considered: announced ones young enough, and those readers made popular."""
    sent = _sent_before(edition)
    places = _places()
    articles = _considered(edition, popular=list(places))
    return [_candidate(article, sent=sent, places=places) for article in articles]


def _considered(edition: Edition, *, popular: list[int]) -> QuerySet[Article]:
    """Archived and baseline stories may be popular, and only that: they were never announced."""
    since = edition.slot_at - timedelta(hours=2 * edition.newsletter.max_age_h)
    fresh = Article.objects.filter(state=Article.State.ELIGIBLE, announced_at__isnull=False, first_seen_at__gte=since)
    newest = fresh.order_by("-first_seen_at", "id").values("id")[:MOST_CANDIDATES]
    return (
        Article.objects.filter(Q(id__in=newest) | Q(id__in=popular))
        .exclude(state=Article.State.KILLED)
        .order_by("-first_seen_at", "id")
    )


def _candidate(
    article: Article, *, sent: dict[int, tuple[datetime, int]], places: dict[int, tuple[int, str]]
) -> Candidate:
    sent_at, sent_version = sent.get(article.id, (None, 0))
    place, window = places.get(article.id, (None, ""))
    return Candidate(
        article_id=article.id,
        headline=article.headline,
        sections=tuple(article.section_path),
        authors=tuple(article.authors),
        published_at=article.published_at,
        first_seen_at=article.first_seen_at,
        eligible_at=article.announced_at if article.state == Article.State.ELIGIBLE else None,
        version=article.version,
        killed=article.killed_at is not None,
        sent_at=sent_at,
        sent_version=sent_version,
        popular_place=place,
        popular_window=window,
    )


def _sent_before(edition: Edition) -> dict[int, tuple[datetime, int]]:
    """What earlier editions of this newsletter carried as news: the ledger, append-only."""
    gone = (Edition.State.APPROVED, Edition.State.SENDING, Edition.State.SENT)
    rows = (
        Item.objects.filter(picked=True, edition__newsletter_id=edition.newsletter_id, edition__state__in=gone)
        .exclude(edition_id=edition.id)
        .exclude(block__kind=POPULAR)
        .values_list("article_id")
        .annotate(at=Max("edition__slot_at"), seen=Max("version"))
    )
    return {article_id: (at, seen) for article_id, at, seen in rows}


def _places() -> dict[int, tuple[int, str]]:
    """Where readers put each article today."""
    rows = Standing.objects.filter(chart__window="today", chart__section="", value__gt=0).exclude(
        article__state=Article.State.KILLED
    )
    return {row.article_id: (row.place, row.counted_in) for row in rows}


def _is_news(choice: Choice) -> bool:
    return choice.code != "popular"


def _keep_items(edition: Edition, choices: list[Choice]) -> None:
    blocks = {block.position: block for block in edition.newsletter.blocks.all()}
    versions = dict(Article.objects.filter(id__in=[c.article_id for c in choices]).values_list("id", "version"))
    edition.items.all().delete()
    Item.objects.bulk_create(
        Item(
            edition=edition, article_id=c.article_id, block=blocks.get(c.block or 0), position=c.position,
            picked=c.picked, code=c.code, params=dict(c.params), label=c.label, version=versions[c.article_id],
        )
        for c in choices
    )  # fmt: skip


def content_of(edition: Edition) -> EditionContent:
    """What the edition says, from its kept items: previews, tests and sends all start here."""
    masthead = masthead_of(edition.newsletter)
    blocks = []
    for block in edition.newsletter.blocks.all():
        items = edition.items.filter(block=block, picked=True).select_related("article").order_by("position")
        stories = tuple(story_of(item.article, label=item.label) for item in items)
        if stories:
            blocks.append(FilledBlock(kind=block.kind, title=block.title, stories=stories))
    if edition.note:
        blocks.insert(0, FilledBlock(kind="note", note=edition.note))
    lead = next((story for block in blocks for story in block.stories), None)
    return EditionContent(
        masthead=masthead,
        slot_at=edition.slot_at,
        subject=(edition.subject if edition.edited else "") or (lead.headline if lead else edition.newsletter.name),
        preheader=(edition.preheader if edition.edited else "") or _preheader(blocks),
        blocks=tuple(blocks),
    )


def _preheader(blocks: list[FilledBlock]) -> str:
    stories = [story for block in blocks for story in block.stories][1:3]
    return " · ".join(story.headline for story in stories)


def masthead_of(newsletter: Newsletter) -> Masthead:
    """The newsletter's looks; what it does not say comes from the newsletter and the installation."""
    kept = {name: value for name, value in newsletter.masthead.items() if value}
    defaults = {
        "name": newsletter.name,
        "slug": newsletter.slug,
        "publisher": newsletter.from_name,
        "home_url": config().site_url,
        "postal_address": config().postal_address,
    }
    return Masthead(**{**defaults, **kept})


def story_of(article: Article, *, label: str = "") -> Story:
    """An article as a digest shows it."""
    picture = article.picture
    return Story(
        headline=article.headline,
        url=article.url,
        standfirst=article.standfirst,
        section=tuple(article.section_path),
        authors=tuple(article.authors),
        published_at=article.published_at,
        picture=Picture(url=picture["url"], alt=picture.get("alt", ""), credit=picture.get("credit", ""))
        if picture.get("url")
        else None,
        place=article.dateline.get("place") or "",
        language=article.language,
        label=label,
        reading_minutes=max(1, round(len(article.text.split()) / WORDS_A_MINUTE)) if article.text else None,
        article_id=article.id,
    )


def _keep_rendering(edition: Edition, rendered: Rendered, *, now: datetime) -> None:
    Rendering.objects.update_or_create(
        edition=edition,
        defaults={
            "revision": edition.revision + 1,
            "subject": rendered.subject,
            "preheader": rendered.preheader,
            "html": rendered.html,
            "text": rendered.text,
            "links": [asdict(link) for link in rendered.links],
            "rendered_at": now,
        },
    )


def _facts(edition: Edition) -> Facts:
    ids = edition.items.filter(picked=True).values_list("article_id", flat=True)
    recent = Edition.objects.filter(newsletter_id=edition.newsletter_id, state=Edition.State.SENT).order_by("-slot_at")
    return Facts(
        doors=Doors.at(track=config().track_url, public=config().site_url),
        killed=frozenset(Article.objects.filter(id__in=ids, killed_at__isnull=False).values_list("id", flat=True)),
        recent_subjects=tuple(recent.values_list("subject", flat=True)[:7]),
    )
