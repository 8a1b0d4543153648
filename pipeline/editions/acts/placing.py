"""An editor's hand on the order of an edition and on its words, slot by slot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from pipeline.articles.models import Article
from pipeline.editions.acts.review import TAKEN_BACK, Refused, open_edition, void_approval
from pipeline.editions.assemble import OVERRIDABLE, site_words
from pipeline.editions.choosing.rules import GIVEN
from pipeline.editions.models import Block, Edition, Item
from pipeline.kernel.queue import Job, wake
from pipeline.staff.journal import note
from pipeline.staff.models import User

CHANGEABLE = (Edition.State.COLLECTING, Edition.State.READY, Edition.State.HELD)
LONGEST = {"headline": 300, "standfirst": 1000, "picture": 1000, "alt": 300}


@transaction.atomic
def place(
    *, edition_id: int, revision: int, actor: User, article_id: int, block: int, position: int, now: datetime
) -> Edition:
    """Put a story at a place of a block, from 1; composing again leaves it there. Raises Refused."""
    edition = open_edition(edition_id, revision=revision, actor=actor, states=CHANGEABLE, act="changed")
    article = _usable(article_id)
    target = Block.objects.filter(newsletter_id=edition.newsletter_id, position=block).exclude(kind__in=GIVEN).first()
    if target is None:
        raise Refused("That block takes no stories. Nothing was changed.")
    known = {"picked": True, "pinned": True, "block": target, "position": max(position, 1), "code": "placed"}
    item, _ = Item.objects.update_or_create(
        edition=edition, article=article, defaults=known, create_defaults={**known, "version": article.version}
    )
    return _changed(edition, actor=actor, now=now, verb="place", article=item.article_id, block=block, at=position)


@transaction.atomic
def leave_out(*, edition_id: int, revision: int, actor: User, article_id: int, now: datetime) -> Edition:
    """Keep a story out of this edition; it stays a candidate for the next. Raises Refused."""
    edition = open_edition(edition_id, revision=revision, actor=actor, states=CHANGEABLE, act="changed")
    known = {"picked": False, "pinned": True, "block": None, "position": 0, "code": "left_out"}
    article = _usable(article_id)
    Item.objects.update_or_create(
        edition=edition, article=article, defaults=known, create_defaults={**known, "version": article.version}
    )
    return _changed(edition, actor=actor, now=now, verb="leave_out", article=article_id)


@transaction.atomic
def let_rules_decide(*, edition_id: int, revision: int, actor: User, article_id: int, now: datetime) -> Edition:
    """Take the hand off a story again. Raises Refused."""
    edition = open_edition(edition_id, revision=revision, actor=actor, states=CHANGEABLE, act="changed")
    edition.items.filter(article_id=article_id).update(pinned=False)
    return _changed(edition, actor=actor, now=now, verb="let_rules_decide", article=article_id)


@transaction.atomic
def override(
    *, edition_id: int, revision: int, actor: User, article_id: int, words: Mapping[str, str], now: datetime
) -> Edition:
    """Write a headline, standfirst or picture of this edition's own; an empty one gives the site's back.

    What the site says now is kept beside it, so that a later change there is seen. Raises Refused.
    """
    edition = open_edition(edition_id, revision=revision, actor=actor, states=CHANGEABLE, act="changed")
    item = edition.items.select_related("article").filter(article_id=article_id, picked=True).first()
    if item is None:
        raise Refused("That story is not in this edition any more. Nothing was changed: look again.")
    if unknown := set(words) - set(LONGEST):
        raise Refused(f"Nobody can override {', '.join(sorted(unknown))}. Nothing was changed.")
    site = site_words(item.article)
    kept = {**item.overrides, **{name: text.strip()[: LONGEST[name]] for name, text in words.items()}}
    item.overrides = {name: text for name, text in kept.items() if text}
    item.site = {name: site[name] for name in OVERRIDABLE if name in item.overrides}
    item.save(update_fields=["overrides", "site"])
    return _changed(edition, actor=actor, now=now, verb="override", article=article_id, words=item.overrides)


@transaction.atomic
def take_new(*, edition_id: int, revision: int, actor: User, article_id: int, now: datetime) -> Edition:
    """The site changed since: drop the override and use what it says now. Raises Refused."""
    blank = dict.fromkeys((*OVERRIDABLE, "alt"), "")
    return override(edition_id=edition_id, revision=revision, actor=actor, article_id=article_id, words=blank, now=now)


@transaction.atomic
def keep_mine(*, edition_id: int, revision: int, actor: User, article_id: int, now: datetime) -> Edition:
    """The site changed since: the override stays, and the change is not mentioned again. Raises Refused."""
    return override(edition_id=edition_id, revision=revision, actor=actor, article_id=article_id, words={}, now=now)


def _usable(article_id: int) -> Article:
    article = Article.objects.filter(id=article_id, killed_at=None).exclude(state=Article.State.KILLED).first()
    if article is None:
        raise Refused("That story was killed or is gone. Nothing was changed.")
    if article.state == Article.State.HELD:
        raise Refused("That story is held. Release it first; nothing was changed.")
    return article


def _changed(edition: Edition, *, actor: User, now: datetime, verb: str, **detail: Any) -> Edition:
    """Compose again with the change; an approval was for other words."""
    edition.state = Edition.State.COLLECTING
    edition.code = TAKEN_BACK if edition.code == TAKEN_BACK else ""
    void_approval(edition)
    edition.revision += 1
    edition.save()
    note(verb=verb, subject="edition", subject_id=edition.id, now=now, actor=actor, **detail)
    wake(Job.EDITIONS_COMPOSE, edition_id=edition.id)
    return edition
