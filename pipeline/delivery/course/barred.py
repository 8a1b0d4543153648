"""Stories that may not leave: killed, under an embargo nobody has lifted, or waiting for a person."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from pipeline.articles.models import Article
from pipeline.editions.models import Item

KILLED = Q(article__state=Article.State.KILLED) | Q(article__killed_at__isnull=False)
EMBARGOED = Q(article__markers__contains=[{"kind": "embargo"}]) & ~Q(article__code="released")
#: Held since it was chosen: whatever the reason, a person must look first.
WAITING = Q(article__state=Article.State.HELD)


def holds_killed_story() -> Exists:
    """A condition on editions: a story they would carry has been killed since it was chosen."""
    return _holds(KILLED)


def holds_embargoed_story() -> Exists:
    """Likewise: one is under an embargo. Only a person lifts one, so no hour of any zone is late enough."""
    return _holds(EMBARGOED)


def holds_waiting_story() -> Exists:
    """Likewise: one is held for a person."""
    return _holds(WAITING)


def holds_barred_story() -> Exists:
    """Any of them: nothing may leave."""
    return _holds(KILLED | EMBARGOED | WAITING)


def _holds(barred: Q) -> Exists:
    return Exists(Item.objects.filter(barred, edition_id=OuterRef("id"), picked=True))
