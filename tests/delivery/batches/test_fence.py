"""What chance seldom tells: two hold one batch, and the older one must neither renew nor end it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline.channels.base import Temporary
from pipeline.delivery import send
from pipeline.delivery.batches import batch, claims
from pipeline.delivery.batches import journal as journals
from pipeline.delivery.models import Batch, Send
from pipeline.kernel.config import Config
from tests.delivery.batches.holders import ends, pass_on, work
from tests.factories import staff
from tests.factories.deaths import LIVES, Life, Post, failpoints

pytestmark = pytest.mark.django_db
READERS = 4


def two_hold_one_batch(going: Send, here: Config, taken: Counter[int]) -> None:
    """One stands still on another machine until it is given up; a person decides to resend what it may have sent; in the
    middle of that the first one goes on and gives its batch back, and a third comes by."""
    ada, first = staff.ada(), Life()

    def third() -> None:
        pass_on(by_s=1)
        work(here, Post(taken))

    def first_is_given_up() -> None:
        pass_on(by_s=claims.FOREIGN_PATIENCE_S + 1)
        work(here, Post(taken))
        assert ends() == {"unknown": READERS}
        send.settle_doubts(send_id=going.id, actor=ada, resend=True, now=timezone.now() - timedelta(seconds=1))

    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.setattr(journals, "machine", lambda: "another machine")
        LIVES.append(first)
        held = claims.take(batch_id=Batch.objects.get().id, data_dir=here.data_dir / "elsewhere", now=timezone.now())
    assert held is not None
    first_is_given_up()

    def first_goes_on() -> None:
        claims.release(held[0], trouble=Temporary("it lost its server"))
        third()

    work(here, Post(taken, stops_at=2, meanwhile=first_goes_on))
    held[1].abandon()
    LIVES.remove(first)


def test_a_holder_whose_fence_is_old_can_neither_renew_nor_end_what_another_holds(going: Send, here: Config) -> None:
    taken: Counter[int] = Counter()
    with failpoints() as patch:
        patch.setattr(batch, "FLUSH_EVERY_S", 60)
        two_hold_one_batch(going, here, taken)
    assert set(taken.values()) == {1}
    assert ends() == {"accepted": READERS}


def test_without_the_fence_the_same_story_doubles_readers(going: Send, here: Config) -> None:
    """The test of the test: whoever holds the batch now lends its fence to whoever asks."""

    def newest(claim: claims.Claim) -> claims.Claim:
        return replace(claim, fence=Batch.objects.get(id=claim.batch_id).fence)

    taken: Counter[int] = Counter()
    renew, release = claims.renew, claims.release
    with failpoints() as patch:
        patch.setattr(batch, "FLUSH_EVERY_S", 60)
        patch.setattr(claims, "renew", lambda claim: renew(newest(claim)))
        patch.setattr(claims, "release", lambda claim, **more: release(newest(claim), **more))
        two_hold_one_batch(going, here, taken)
    assert max(taken.values()) == 2
