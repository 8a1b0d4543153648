"""What dead or wrong machines leave behind: a cancelled send's last holder, and a worker whose clock is off."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from pipeline.channels.base import Temporary
from pipeline.delivery import send
from pipeline.delivery.batches import claims
from pipeline.delivery.models import Batch, Send
from pipeline.kernel.config import Config
from tests.delivery.batches.holders import ends, pass_on, work
from tests.factories.deaths import Life, Post, failpoints

pytestmark = pytest.mark.django_db
READERS = 4


def test_who_was_in_flight_when_its_holder_died_is_in_doubt_also_where_the_send_is_cancelled(
    going: Send, here: Config
) -> None:
    taken: Counter[int] = Counter()
    with failpoints():
        work(here, Post(taken), Life(dies_at="stored", nth=2))
        send.cancel(send_id=going.id, now=timezone.now(), actor=None, reason="wrong audience")
        for _ in range(3):
            pass_on(by_s=claims.FOREIGN_PATIENCE_S + 1)
            send.sweep(now=timezone.now() + timedelta(seconds=10))
            work(here, Post(taken))
    assert ends() == {"accepted": 1, "unknown": 1, "cancelled": READERS - 2}
    assert Batch.objects.get().state == Batch.State.DONE


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_workers_clock_that_is_wrong_locks_no_batch_away(going: Send, here: Config, hours: int) -> None:
    class Away(Post):
        def submit(self, *_args: object, **_more: object) -> None:
            raise Temporary("connection refused")

    real = timezone.now

    def wrong() -> datetime:
        return real() + timedelta(hours=hours)

    with failpoints() as patch:
        patch.setattr(timezone, "now", wrong)
        work(here, Away(Counter()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT due_at - clock_timestamp() FROM dateline_batch")
        assert cursor.fetchone()[0] < timedelta(minutes=6)
    assert ends() == {"pending": READERS}
