"""An edition with its stories and readers, sent off: `python -m tests.chaos.seed READERS BATCH_SIZE`.

Run in the environment of a house, so that a test's own database is not touched.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from pipeline.commands.running import database


def off(*, readers: int, batch_size: int) -> None:
    """Freeze the audience in batches of a size and let it go. The workers are rung for as always.

    The newsletter is paused, so that nothing of it is planned beside this; what a person approved leaves all the same.
    """
    from django.utils import timezone

    from pipeline.delivery.course import freeze
    from pipeline.editions.models import Edition
    from pipeline.sources.models import Source
    from tests.factories import articles, audience, delivery, editions, staff

    freeze.BATCH_SIZE = batch_size
    now = timezone.now()
    newsletter = editions.newsletter(now=now, state="paused")
    for n in range(6):
        articles.article(headline=f"Story {n}", age_s=600 + n, now=now)
    audience.readers(count=readers, follows=newsletter.topic, now=now)
    edition = editions.composed(newsletter=newsletter, slot_at=now + timedelta(minutes=18), now=now)
    Edition.objects.filter(id=edition.id).update(approved_by=staff.ada())
    delivery.send(edition=edition, now=now)
    Source.objects.update(state=Source.State.PAUSED)


if __name__ == "__main__":
    database.prepare()
    off(readers=int(sys.argv[1]), batch_size=int(sys.argv[2]))
