"""Undo, redo and going back to what an edition was: possible until it is approved, and again once that is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from pipeline.articles.models import Article
from pipeline.editions.acts import revisions
from pipeline.editions.acts.review import CHANGEABLE, Refused, compose_anew, open_edition
from pipeline.editions.choosing.rules import GIVEN
from pipeline.editions.models import Edition, Item, Revision
from pipeline.staff.journal import note
from pipeline.staff.models import User

NOTHING = "There is nothing left to take back or to bring back. Nothing was changed."
SINCE = "Something was changed since you looked. Nothing was changed now: look again, and decide."
FORGOTTEN = f"That change is not kept any more: the last {revisions.MOST_KEPT} are. Nothing was changed."
ALREADY = "That is how it stands already. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Laid:
    """The edition after it, the act it was about, and the stories that could not come back where they were."""

    edition: Edition
    act: Revision
    missing: tuple[str, ...] = ()


@transaction.atomic
def undo(*, edition_id: int, number: int, actor: User, now: datetime) -> Laid:
    """Take back the latest act that stands, which must be `number`: the one its editor was shown. Raises Refused."""
    edition = _opened(edition_id, actor)
    done, _ = revisions.standing(edition)
    if len(done) < 2:
        raise Refused(NOTHING)
    last, before = done[-1], done[-2]
    if last.number != number:
        raise Refused(SINCE)
    Revision.objects.filter(id=last.id).update(undone=True)
    return _laid(edition, before.body, of=last, verb="undo_change", actor=actor, now=now)


@transaction.atomic
def redo(*, edition_id: int, number: int, actor: User, now: datetime) -> Laid:
    """Bring back what was taken back last, which must be `number`. Raises Refused."""
    edition = _opened(edition_id, actor)
    _, undone = revisions.standing(edition)
    if not undone:
        raise Refused(NOTHING)
    first = undone[0]
    if first.number != number:
        raise Refused(SINCE)
    Revision.objects.filter(id=first.id).update(undone=False)
    return _laid(edition, first.body, of=first, verb="redo_change", actor=actor, now=now)


@transaction.atomic
def restore(*, edition_id: int, number: int, seen: int, actor: User, now: datetime) -> Laid:
    """Make it what it was after the act `number`; `seen` is the latest its editor was shown. Raises Refused."""
    edition = _opened(edition_id, actor)
    done, _ = revisions.standing(edition)
    if not done or done[-1].number != seen:
        raise Refused(SINCE)
    row = edition.revisions.filter(number=number).first()
    if row is None:
        raise Refused(FORGOTTEN)
    if row.number == seen:
        raise Refused(ALREADY)
    laid = _laid(edition, row.body, of=row, verb="restore", actor=actor, now=now)
    revisions.keep(edition, actor=actor, verb="restore", now=now)
    return laid


def _opened(edition_id: int, actor: User) -> Edition:
    return open_edition(edition_id, revision=None, actor=actor, states=CHANGEABLE, act="changed")


def _laid(
    edition: Edition, body: Mapping[str, Any], *, of: Revision, verb: str, actor: User, now: datetime
) -> Laid:  # fmt: skip
    words = body["words"]
    edition.edited, edition.note = words["edited"], words["note"]
    if edition.edited:
        edition.subject, edition.preheader = words["subject"], words["preheader"]
    missing = _hands(edition, {int(key): story for key, story in body["stories"].items()})
    compose_anew(edition)
    note(verb=verb, subject="edition", subject_id=edition.id, now=now, actor=actor, of=of.number)
    return Laid(edition, of, missing)


def _hands(edition: Edition, stories: Mapping[int, Mapping[str, Any]]) -> tuple[str, ...]:
    """Every hand as it was: taken off what had none. The headlines of stories that may not stand there any more."""
    edition.items.exclude(article_id__in=stories).update(pinned=False, overrides={}, site={})
    blocks = {block.position: block for block in edition.newsletter.blocks.exclude(kind__in=GIVEN)}
    articles = Article.objects.only("id", "headline", "state", "killed_at", "version").in_bulk(list(stories))
    missing = []
    for article_id, story in stories.items():
        article, block = articles.get(article_id), blocks.get(story["block"])
        if article is None:
            continue
        written = {"overrides": story["overrides"], "site": story["site"], "pinned": False}
        if not story["pinned"]:
            edition.items.filter(article_id=article_id).update(**written)
        elif not _usable(article) or (story["picked"] and block is None):
            missing.append(article.headline)
        else:
            _put(edition, article, written | _place(story, block))
    return tuple(missing)


def _place(story: Mapping[str, Any], block: Any) -> dict[str, Any]:
    if not story["picked"]:
        return {"pinned": True, "picked": False, "block": None, "position": 0, "code": "left_out"}
    return {"pinned": True, "picked": True, "block": block, "position": story["position"], "code": "placed"}


def _put(edition: Edition, article: Article, known: Mapping[str, Any]) -> None:
    Item.objects.update_or_create(
        edition=edition, article=article, defaults=known, create_defaults={**known, "version": article.version}
    )


def _usable(article: Article) -> bool:
    return article.killed_at is None and article.state not in (Article.State.KILLED, Article.State.HELD)
