"""From a newsletter's rules and the announced articles to an edition that is ready, skipped or held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from pipeline.articles.models import Article
from pipeline.editions.acts.review import TAKEN_BACK, compose_anew
from pipeline.editions.assemble import changed_since, content_of, parts_of, rendering_of
from pipeline.editions.choosing.pool import candidates, cutoff_of, frame_of, placed_in, rules_of
from pipeline.editions.choosing.rules import Fallback, UnusableRule
from pipeline.editions.choosing.select import Choice, Selection, choose
from pipeline.editions.content import EditionContent
from pipeline.editions.models import Edition, Item, Newsletter, Rendering
from pipeline.editions.own.design import lint
from pipeline.editions.own.problems import sentence
from pipeline.editions.preflight import BLOCK, Facts, broken, check
from pipeline.editions.render import UnusableTemplate
from pipeline.editions.rendered import Doors, LinkTable, Rendered
from pipeline.kernel.config import config
from pipeline.kernel.queue import Job, wake
from pipeline.staff.journal import note

LOOK_AGAIN = timedelta(minutes=1)
#: States in which stories are chosen anew; after approval a person must take it back first.
OPEN_STATES = (Edition.State.PLANNED, Edition.State.COLLECTING, Edition.State.READY)
SUBJECTS_REMEMBERED = timedelta(days=7)
ASK_AGAIN = "ask_again"  #: the journal's verb for an approval that a change of the site ended
#: What a person wrote into an item, which outlives every composing.
_BY_HAND = ("pinned", "overrides", "site")


@transaction.atomic
def compose(*, edition_id: int, now: datetime) -> str | None:
    """Fill, render and check an edition; the state it is in afterwards, or None if it was not open.

    Composing again is harmless: items and rendering are replaced, what people wrote and placed stays. Where
    the message comes out as it was, it is the same revision: who looks at it may approve it, however often a bell rang.
    One that is approved keeps its stories; only their words are brought up to date.
    """
    edition = (
        Edition.objects.select_for_update(of=("self",))
        .select_related("newsletter")
        .filter(id=edition_id, state__in=(*OPEN_STATES, Edition.State.APPROVED))
        .first()
    )
    if edition is None:
        return None
    if edition.state == Edition.State.APPROVED:
        return _say_anew(edition, now=now)
    try:
        selection = chosen_for(edition)
    except UnusableRule as error:
        return _settle(edition, Edition.State.HELD, "unusable_rule", now=now, said=str(error))
    _keep_items(edition, selection.choices)
    if selection.news < edition.newsletter.minimum and (state := _too_few(edition, selection, now=now)):
        return state
    return _render(edition, selection, now=now)


def _say_anew(edition: Edition, *, now: datetime) -> str | None:
    """Stories the site changed since say what it says now, in the same places; the approval was of them, and stands.

    Where our own words stand over what the site changed, or preflight blocks the new ones, a person has to look: the
    approval is taken back, and neither rule nor policy gives another.
    """
    changed = list(edition.items.filter(outdated(), picked=True).select_related("article"))
    if not changed:
        return None
    told: dict[str, Any] = {"subject": "edition", "subject_id": edition.id, "now": now}
    told["stories"] = [item.article.headline for item in changed]
    for item in changed:
        item.version = item.article.version
    Item.objects.bulk_update(changed, ["version"])
    trouble = "our own words stand over what the site changed" if any(map(changed_since, changed)) else ""
    if trouble := trouble or _rendered_anew(edition, now=now):
        edition.code = TAKEN_BACK
        compose_anew(edition)
        note(verb=ASK_AGAIN, reason=trouble, **told)
    else:
        note(verb="say_anew", reason="the site changed a story of it after it was approved", **told)
    return str(edition.state)


def _rendered_anew(edition: Edition, *, now: datetime) -> str:
    """Keep the rendering of the same stories in their present words; why that cannot be done, or nothing."""
    content = content_of(edition)
    try:
        rendered = rendering_of(edition.newsletter, content, origin_links=LinkTable())
    except UnusableTemplate as error:
        return str(error)[:500]
    found = check(rendered, content, facts=facts_of(edition, Selection(())))
    if found.blocked:
        return str(next(row["sentence"] for row in found.as_json()["findings"] if row["level"] == BLOCK))
    if Rendering.objects.filter(edition=edition, **_message(rendered, content)).exists():
        return ""
    _keep_rendering(edition, rendered, content, size=found.html_bytes, now=now)
    edition.subject, edition.preheader, edition.composed_at = rendered.subject, rendered.preheader, now
    edition.revision += 1
    edition.save()
    return ""


def outdated() -> Q:
    """A condition on items: their story says something else now than when they were composed."""
    return Q(version__lt=F("article__version"))


def chosen_for(edition: Edition) -> Selection:
    """What the edition would carry now, and why; nothing is kept. Raises UnusableRule."""
    newsletter, rules = edition.newsletter, rules_of(edition.newsletter)
    fill = newsletter.below_minimum == Newsletter.BelowMinimum.FILL
    return choose(
        candidates(edition, rules=rules),
        rules=rules,
        frame=frame_of(edition),
        placed=placed_in(edition),
        at_least=newsletter.minimum if fill else 0,
    )


def _too_few(edition: Edition, selection: Selection, *, now: datetime) -> str | None:
    """Until the cut-off stories may still come, so it goes on collecting; after it the newsletter's policy decides.

    None means that it leaves as it is: shortened, or filled as far as it goes.
    """
    counts = {"found": selection.news, "minimum": edition.newsletter.minimum}
    edition.composed_at = now
    if now < cutoff_of(edition):
        return _settle(edition, Edition.State.COLLECTING, "below_minimum", now=now, **counts)
    policy = edition.newsletter.below_minimum
    carries = sum(choice.picked for choice in selection.choices)
    if policy == Newsletter.BelowMinimum.SHORTEN and selection.news:
        return None
    if policy == Newsletter.BelowMinimum.FILL and carries >= edition.newsletter.minimum:
        return None
    if policy == Newsletter.BelowMinimum.ASK and carries:
        _render(edition, selection, now=now)
        if edition.state == Edition.State.READY:
            return _settle(edition, Edition.State.HELD, "asks_below_minimum", now=now, **counts)
        return str(edition.state)
    return _settle(edition, Edition.State.SKIPPED, "below_minimum", now=now, **counts)


def waits_for_stories(edition: Edition, *, now: datetime) -> bool:
    """Whether it had too few stories a moment ago and its cut-off has not come: no need to look again yet."""
    return (
        edition.code == "below_minimum"
        and edition.composed_at is not None
        and now < min(cutoff_of(edition), edition.composed_at + LOOK_AGAIN)
    )


def _render(edition: Edition, selection: Selection, *, now: datetime) -> str:
    taken_back = edition.code == TAKEN_BACK
    content = content_of(edition)
    edition.composed_at = now
    try:
        rendered = rendering_of(edition.newsletter, content, origin_links=LinkTable())
    except UnusableTemplate as error:
        edition.preflight = broken(error).as_json()["findings"]
        return _settle(edition, Edition.State.HELD, "unusable_design", now=now, said=str(error)[:500])
    findings = check(rendered, content, facts=facts_of(edition, selection))
    preflight = findings.as_json()["findings"]
    asks = [short for short in selection.shortfalls if short.fallback is Fallback.ASK and now >= cutoff_of(edition)]
    if not asks and preflight == edition.preflight and _is_as_it_was(edition, rendered, content):
        edition.save(update_fields=["composed_at"])
        return str(edition.state)
    _keep_rendering(edition, rendered, content, size=findings.html_bytes, now=now)
    edition.subject, edition.preheader = rendered.subject, rendered.preheader
    edition.preflight = preflight
    if findings.blocked:
        return _settle(edition, Edition.State.HELD, "preflight", now=now)
    if asks:
        block = asks[0].title or f"block {asks[0].block}"
        return _settle(
            edition, Edition.State.HELD, "asks_short_block", now=now, block=block, found=asks[0].found,
            minimum=asks[0].minimum,
        )  # fmt: skip
    wake(Job.EDITIONS_ASK, edition_id=edition.id)
    return _settle(edition, Edition.State.READY, TAKEN_BACK if taken_back else "", now=now)


def _settle(edition: Edition, state: Edition.State, code: str = "", *, now: datetime, **params: Any) -> str:
    edition.state, edition.code, edition.params = state, code, params
    edition.revision += 1
    if state == Edition.State.SKIPPED:
        edition.ended_at = now
    edition.save()
    return str(state.value)


def _keep_items(edition: Edition, choices: Iterable[Choice]) -> None:
    """Replace the items; what people wrote into one goes over to its successor."""
    choices = list(choices)
    blocks = {block.position: block for block in edition.newsletter.blocks.all()}
    versions = dict(Article.objects.filter(id__in=[c.article_id for c in choices]).values_list("id", "version"))
    written = {item.article_id: {name: getattr(item, name) for name in _BY_HAND} for item in edition.items.all()}
    edition.items.all().delete()
    Item.objects.bulk_create(
        Item(
            edition=edition, article_id=c.article_id, block=blocks.get(c.block or 0), position=c.position,
            picked=c.picked, code=c.code, params=dict(c.params), label=c.label, version=versions[c.article_id],
            carried=c.carried, **{**written.get(c.article_id, {}), "pinned": c.pinned},
        )
        for c in choices
    )  # fmt: skip


def _keep_rendering(edition: Edition, rendered: Rendered, content: EditionContent, *, size: int, now: datetime) -> None:
    kept = {"revision": edition.revision + 1, "largest_bytes": size, "asked_at": None, "rendered_at": now}
    Rendering.objects.update_or_create(edition=edition, defaults=kept | _message(rendered, content))


def _message(rendered: Rendered, content: EditionContent) -> dict[str, Any]:
    return {
        "subject": rendered.subject,
        "preheader": rendered.preheader,
        "html": rendered.html,
        "text": rendered.text,
        "links": [asdict(link) for link in rendered.links],
        "parts": parts_of(content),
    }


def _is_as_it_was(edition: Edition, rendered: Rendered, content: EditionContent) -> bool:
    """Whether a draft that is ready would be the same message again, byte for byte."""
    ready = Rendering.objects.filter(edition=edition, edition__state=Edition.State.READY)
    message = _message(rendered, content)
    return bool(message == ready.values(*message).first())


def facts_of(edition: Edition, selection: Selection) -> Facts:
    """What only the database knows of an edition, for preflight."""
    picked = list(edition.items.filter(picked=True).select_related("article"))
    since, own = edition.slot_at - SUBJECTS_REMEMBERED, edition.newsletter.own_design
    recent = Edition.objects.filter(newsletter_id=edition.newsletter_id, state=Edition.State.SENT, slot_at__gte=since)
    return Facts(
        doors=Doors.at(track=config().track_url, public=config().site_url),
        killed=frozenset(item.article_id for item in picked if item.article.killed_at is not None),
        embargoed=frozenset(item.article_id for item in picked if _is_embargoed(item.article)),
        recent_subjects=tuple(recent.order_by("-slot_at").values_list("subject", flat=True)),
        short_blocks=tuple((short.title, short.found, short.minimum) for short in selection.shortfalls),
        changed=frozenset(item.article_id for item in picked if changed_since(item)),
        design_warnings=tuple((found.line, sentence(found)) for found in lint(own)) if own else (),
    )


def _is_embargoed(article: Article) -> bool:
    """An embargo stands until a person has released the story."""
    return article.code != "released" and any(mark["kind"] == "embargo" for mark in article.markers)
