"""What sets one reader's copy apart: the blocks they chose, the stories they had from another newsletter.

Everything is asked as of the freeze of the audience, for the whole batch: claimed again after a death a batch gives
each reader the same copy, and so does the web view years later. Two acts move it: a reader who left a topic and
follows it again starts anew, and a mail that bounces after all was not had. Only those who provably were not sent
anything are sent anything again, so that no reader gets both.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from pipeline.delivery.message import renderings
from pipeline.delivery.message.arrange import arrangement
from pipeline.delivery.models import Delivery
from pipeline.editions.models import Edition, Newsletter
from pipeline.engagement.models import Mode

log = logging.getLogger("dateline.delivery")

#: How long a story counts as had.
MEMORY = timedelta(days=7)
#: Sets of stories left out in one batch; each is a rendering (some 5 ms) and a program (some 200 kB) of its own.
MOST_COHORTS = 64

#: News this edition shares with others sent before: by which sends, and which readers of the batch these reached.
#: Popular charts are not news, and a block only its followers saw cannot be said to have been had.
_HAD = """
WITH carried AS MATERIALIZED (
  SELECT send.id AS send_id, theirs.article_id
    FROM dateline_item ours LEFT JOIN dateline_block place ON place.id = ours.block_id
    JOIN dateline_item theirs ON theirs.article_id = ours.article_id AND theirs.picked AND theirs.version >= ours.version
    LEFT JOIN dateline_block there ON there.id = theirs.block_id
    JOIN dateline_edition edition ON edition.id = theirs.edition_id AND edition.newsletter_id <> %(newsletter)s
    JOIN dateline_newsletter newsletter ON newsletter.id = edition.newsletter_id
    JOIN dateline_send send ON send.edition_id = edition.id
   WHERE ours.edition_id = %(edition)s AND ours.picked AND coalesce(place.kind, '') <> 'popular'
     AND coalesce(there.kind, '') <> 'popular'
     AND NOT (newsletter.reader_choice = 'only' AND coalesce(there.rule ->> 'topic', '') <> ''))
SELECT mine.ordinal, array_agg(DISTINCT carried.article_id)
  FROM dateline_delivery mine
  JOIN dateline_delivery had ON had.subscriber_id = mine.subscriber_id AND had.send_id IN (SELECT send_id FROM carried)
   AND had.state IN ('accepted', 'complained') AND had.answered_at > %(since)s AND had.answered_at <= %(until)s
  JOIN carried ON carried.send_id = had.send_id
 WHERE mine.batch_id = %(batch)s
 GROUP BY mine.ordinal
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """How one reader's copy differs. `blocks` None is all of them as written."""

    blocks: tuple[int, ...] | None = None
    left_out: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A batch's choices by ordinal; who is not in `copies` gets the edition as it is."""

    copies: Mapping[int, Choice] = field(default_factory=dict)
    nothing_new: frozenset[int] = frozenset()  #: ordinals for whom no news would be left
    unrecorded: frozenset[int] = frozenset()  #: ordinals of those who want nothing of theirs to be recorded


def chosen(edition: Edition, *, batch_id: int) -> Chosen:
    """What the readers of a batch get, by one query for what they follow and one for what they had."""
    at = edition.send.prepared_at
    if at is None:
        return Chosen(unrecorded=_unrecorded(batch_id))
    blocks = _blocks(edition, batch_id=batch_id, at=at)
    left_out = _left_out(edition, batch_id=batch_id, at=at)
    copies = {n: Choice(blocks.get(n), left_out.get(n, frozenset())) for n in blocks.keys() | left_out.keys()}
    done = frozenset(n for n, copy in copies.items() if copy.left_out and not _holds_news(edition, copy))
    return Chosen({n: copy for n, copy in copies.items() if n not in done}, done, _unrecorded(batch_id))


def _unrecorded(batch_id: int) -> frozenset[int]:
    """Of their own choice, as it is now: it may be later than the freeze, and then it is the one that holds."""
    rows = Delivery.objects.filter(batch_id=batch_id, subscriber__tracking=Mode.OFF)
    return frozenset(rows.values_list("ordinal", flat=True))


def _holds_news(edition: Edition, copy: Choice) -> bool:
    content = renderings.approved(edition)
    return content is None or renderings.holds_news(content, left_out=copy.left_out, blocks=copy.blocks)


def _blocks(edition: Edition, *, batch_id: int, at: datetime) -> dict[int, tuple[int, ...]]:
    """The arrangement of each reader whose arrangement is not the edition's own."""
    parts, choice = edition.rendering.parts, edition.newsletter.reader_choice
    topics = {part["topic"] for part in parts if part["topic"]}
    if choice == Newsletter.ReaderChoice.ALL or not topics:
        return {}
    written = arrangement(parts, (), choice)
    found = ((n, arrangement(parts, slugs, choice)) for n, slugs in _followed(batch_id, topics, at=at).items())
    return {n: blocks for n, blocks in found if blocks != written}


def _followed(batch_id: int, topics: set[str], *, at: datetime) -> dict[int, set[str]]:
    still = Q(subscriber__subscriptions__left_at=None) | Q(subscriber__subscriptions__left_at__gt=at)
    rows = Delivery.objects.filter(
        still,
        batch_id=batch_id,
        subscriber__subscriptions__topic__slug__in=topics,
        subscriber__subscriptions__since__lte=at,
    )
    followed: dict[int, set[str]] = {}
    for ordinal, slug in rows.values_list("ordinal", "subscriber__subscriptions__topic__slug"):
        followed.setdefault(ordinal, set()).add(slug)
    return followed


def _left_out(edition: Edition, *, batch_id: int, at: datetime) -> dict[int, frozenset[int]]:
    """The stories each reader had; the readers of all but the commonest sets get the edition as it is."""
    if not edition.newsletter.remembers_readers:
        return {}
    had = _had(edition, batch_id=batch_id, at=at)
    if not had or renderings.approved(edition) is None:
        return {}
    sizes = Counter(had.values())
    kept = frozenset(sorted(sizes, key=lambda stories: (-sizes[stories], sorted(stories)))[:MOST_COHORTS])
    if rest := sum(size for stories, size in sizes.items() if stories not in kept):
        log.warning(
            "edition %s, batch %s: %s sets of stories its readers had; %s readers of the smallest get it whole",
            edition.id, batch_id, len(sizes), rest,
        )  # fmt: skip
    return {ordinal: stories for ordinal, stories in had.items() if stories in kept}


def _had(edition: Edition, *, batch_id: int, at: datetime) -> dict[int, frozenset[int]]:
    values: dict[str, Any] = {
        "newsletter": edition.newsletter_id, "edition": edition.id, "batch": batch_id, "since": at - MEMORY, "until": at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_HAD, values)
        return {ordinal: frozenset(stories) for ordinal, stories in cursor.fetchall()}
