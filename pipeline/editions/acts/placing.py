"""An editor's hand on the order of an edition and on its words, slot by slot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from pipeline.articles.models import Article
from pipeline.editions.acts import revisions
from pipeline.editions.acts.review import CHANGEABLE, Refused, compose_anew, open_edition
from pipeline.editions.assemble import OVERRIDABLE, site_words
from pipeline.editions.choosing.rules import GIVEN
from pipeline.editions.models import Block, Edition, Item
from pipeline.staff.journal import note
from pipeline.staff.models import User

LONGEST = {"headline": 300, "standfirst": 1000, "picture": 1000, "alt": 300}


@transaction.atomic
def place(
    *,
    edition_id: int,
    revision: int,
    actor: User,
    article_id: int,
    block: int,
    position: int,
    now: datetime,
    others: Iterable[tuple[int, int]] = (),
) -> Edition:
    """Put a story at a place of a block, from 1; composing again leaves it there. Raises Refused.

    `others` are stories of the block that get a place by the same act: (article, place).
    """
    edition = _opened(edition_id, revision=revision, actor=actor, now=now)
    target = Block.objects.filter(newsletter_id=edition.newsletter_id, position=block).exclude(kind__in=GIVEN).first()
    if target is None:
        raise Refused("That block takes no stories. Nothing was changed.")
    for number, at in [(article_id, position), *others]:
        _put(edition, number, picked=True, block=target, position=max(at, 1), code="placed")
    return _changed(edition, actor=actor, now=now, verb="place", article=article_id, block=block, at=position)


@transaction.atomic
def leave_out(*, edition_id: int, revision: int, actor: User, article_id: int, now: datetime) -> Edition:
    """Keep a story out of this edition; it stays a candidate for the next. Raises Refused."""
    edition = _opened(edition_id, revision=revision, actor=actor, now=now)
    _put(edition, article_id, picked=False, block=None, position=0, code="left_out")
    return _changed(edition, actor=actor, now=now, verb="leave_out", article=article_id)


@transaction.atomic
def let_rules_decide(*, edition_id: int, revision: int, actor: User, article_id: int, now: datetime) -> Edition:
    """Take the hand off a story again. Raises Refused."""
    edition = _opened(edition_id, revision=revision, actor=actor, now=now)
    edition.items.filter(article_id=article_id).update(pinned=False)
    return _changed(edition, actor=actor, now=now, verb="let_rules_decide", article=article_id)


@transaction.atomic
def override(
    *,
    edition_id: int,
    revision: int,
    actor: User,
    article_id: int,
    words: Mapping[str, str],
    now: datetime,
    seen: Mapping[str, str] | None = None,
) -> Edition:
    """Write a headline, standfirst or picture of this edition's own; an empty one gives the site's back.

    What the site says (as its editor saw it: `seen`) is kept beside it, so that a later change there is shown. Raises
    Refused.
    """
    edition = _opened(edition_id, revision=revision, actor=actor, now=now)
    item = edition.items.select_related("article").filter(article_id=article_id, picked=True).first()
    if item is None:
        raise Refused("That story is not in this edition any more. Nothing was changed: look again.")
    if unknown := set(words) - set(LONGEST):
        raise Refused(f"Nobody can override {', '.join(sorted(unknown))}. Nothing was changed.")
    site = site_words(item.article) | dict(seen or {})
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


def _opened(edition_id: int, *, revision: int, actor: User, now: datetime) -> Edition:
    edition = open_edition(edition_id, revision=revision, actor=actor, states=CHANGEABLE, act="changed")
    revisions.begin(edition, now=now)
    return edition


def _put(edition: Edition, article_id: int, **place: Any) -> None:
    article, known = _usable(article_id), {"pinned": True, **place}
    Item.objects.update_or_create(
        edition=edition, article=article, defaults=known, create_defaults={**known, "version": article.version}
    )


def _usable(article_id: int) -> Article:
    article = Article.objects.filter(id=article_id, killed_at=None).exclude(state=Article.State.KILLED).first()
    if article is None:
        raise Refused("That story was killed or is gone. Nothing was changed.")
    if article.state == Article.State.HELD:
        raise Refused("That story is held. Release it first; nothing was changed.")
    return article


def _changed(edition: Edition, *, actor: User, now: datetime, verb: str, article: int, **detail: Any) -> Edition:
    compose_anew(edition)
    note(verb=verb, subject="edition", subject_id=edition.id, now=now, actor=actor, article=article, **detail)
    revisions.keep(edition, actor=actor, verb=verb, now=now, article_id=article)
    return edition
