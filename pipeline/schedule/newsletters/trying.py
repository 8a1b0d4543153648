"""What a newsletter has ahead, and what a change would make of it: by doing it and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from pipeline.articles.models import Article
from pipeline.editions.acts.review import Refused
from pipeline.editions.choosing.rules import UnusableRule
from pipeline.editions.compose import OPEN_STATES, chosen_for
from pipeline.editions.models import Edition, Newsletter
from pipeline.schedule import calendar
from pipeline.schedule.newsletters import sentences
from pipeline.schedule.slots import Cadence, CadenceError, Slot

RUNS = 5


@dataclass(frozen=True, slots=True)
class Run:
    """A departure ahead, or a day without one: why it is off, the edition there is, the headlines it would carry now."""

    slot: Slot
    off: str | None
    edition: Edition | None
    stories: Sequence[str]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would mean: (about, sentence now, sentence then), the newsletter and its next runs as they would be."""

    newsletter: Newsletter
    refused: str
    changes: Sequence[tuple[str, str, str]]
    runs: Sequence[Run]
    trouble: str


def ahead(row: Newsletter, *, now: datetime) -> list[Run]:
    """Its next five runs, days off among them. Raises CadenceError where its times cannot be read."""
    slots = calendar.upcoming(row, now=now, most=RUNS)
    cadence = Cadence.from_json(row.cadence)
    known = {edition.slot_at: edition for edition in row.editions.filter(slot_at__in=[slot.at for slot in slots])}
    return [_run(slot, cadence, known.get(slot.at)) for slot in slots]


def tried(row: Newsletter, act: Callable[[], object], *, now: datetime) -> Effect:
    """Do it, look at the newsletter, take it back. What the act refuses is told, not raised."""
    before, refused, runs, trouble = dict(sentences.settings(row)), "", list[Run](), ""
    with transaction.atomic():
        try:
            act()
        except Refused as error:
            refused = str(error)
        after = Newsletter.objects.select_related("segment", "topic", "owner").get(id=row.id)
        told = [(about, before.get(about, ""), said) for about, said in sentences.settings(after) if said != before.get(about)]  # fmt: skip
        try:
            runs = ahead(after, now=now)
        except CadenceError as error:
            trouble = str(error)
        transaction.set_rollback(True)
    return Effect(newsletter=after, refused=refused, changes=told, runs=runs, trouble=trouble)


def _run(slot: Slot, cadence: Cadence, edition: Edition | None) -> Run:
    return Run(slot, cadence.day_off(slot.local_date), edition, _stories(edition) if edition is not None else ())


def _stories(edition: Edition) -> list[str]:
    """Headlines it would carry if it were composed now."""
    if edition.state not in OPEN_STATES:
        return []
    try:
        picked = [choice.article_id for choice in chosen_for(edition).choices if choice.picked]
    except UnusableRule:
        return []
    headlines = dict(Article.objects.filter(id__in=picked).values_list("id", "headline"))
    return [headlines[article_id] for article_id in dict.fromkeys(picked) if article_id in headlines]
