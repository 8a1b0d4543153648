"""How many mails a week a topic means, and when a reader last had one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Max

from pipeline.audience.models import Topic
from pipeline.delivery.models import Delivery


def per_week(topics: Iterable[Topic]) -> Mapping[int, float | None]:
    """Mails a week by topic id, as `schedule.rates` learns them: a section adds none, None is not known."""
    return {topic.id: 0.0 if topic.kind == Topic.Kind.SECTION else topic.per_week or None for topic in topics}


def last_had(subscriber_id: int) -> dict[int, datetime]:
    """The slot of the last edition of each topic that this reader had, or that is on its way to them."""
    states = (Delivery.State.SUPPRESSED, Delivery.State.CANCELLED, Delivery.State.REFUSED)
    rows = Delivery.objects.filter(subscriber_id=subscriber_id).exclude(state__in=states).order_by()
    return dict(rows.values_list("send__edition__newsletter__topic_id").annotate(at=Max("send__edition__slot_at")))
