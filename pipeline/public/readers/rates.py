"""How many mails a week a topic means: as its newsletter plans them, or as it sent them lately."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db.models import Count, Max

from pipeline.audience.models import Topic
from pipeline.delivery.models import Delivery
from pipeline.editions.models import Edition

LOOK_BACK = timedelta(weeks=4)


def per_week(topics: Iterable[Topic], *, now: datetime) -> Mapping[int, float | None]:
    """Mails a week by topic id: a section adds none, None is not known."""
    rows = list(topics)
    sent = Edition.objects.filter(state=Edition.State.SENT, slot_at__gt=now - LOOK_BACK, newsletter__topic__in=rows)
    lately = dict(sent.values_list("newsletter__topic_id").annotate(count=Count("id")).order_by())
    return {
        topic.id: 0.0 if topic.kind == Topic.Kind.SECTION else topic.per_week or lately.get(topic.id, 0) / 4 or None
        for topic in rows
    }


def last_had(subscriber_id: int) -> dict[int, datetime]:
    """The slot of the last edition of each topic that this reader had, or that is on its way to them."""
    states = (Delivery.State.SUPPRESSED, Delivery.State.CANCELLED, Delivery.State.REFUSED)
    rows = Delivery.objects.filter(subscriber_id=subscriber_id).exclude(state__in=states).order_by()
    return dict(rows.values_list("send__edition__newsletter__topic_id").annotate(at=Max("send__edition__slot_at")))
