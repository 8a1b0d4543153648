"""The machine of a send, run; and the test of the test: each bug put in on purpose must be caught by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from pipeline.delivery.batches import batch, claims
from pipeline.delivery.batches import journal as journals
from pipeline.editions.models import Edition
from tests.factories import articles, audience, editions, staff
from tests.factories.send_machine import READERS, House

QUICK = settings(
    max_examples=25, stateful_step_count=9, deadline=None, derandomize=True, print_blob=False,
    suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate),
)  # fmt: skip


@pytest.fixture
def approved(db: None) -> Edition:
    newsletter = editions.newsletter()
    for _ in range(4):
        articles.article()
    for n in range(READERS):
        audience.subscriber(address=f"reader{n}@example.org", follows=newsletter.topic)
    edition = editions.composed(newsletter=newsletter)
    long_ago = timezone.now() - timedelta(minutes=1)
    Edition.objects.update(state=Edition.State.APPROVED, approved_at=long_ago, leaves_at=long_ago)
    edition.refresh_from_db()
    return edition


def house(edition: Edition, seed: Callable[[pytest.MonkeyPatch], None] = lambda _patch: None) -> type[House]:
    return type("Seeded", (House,), {"edition": edition, "ada": staff.ada(), "seed": staticmethod(seed)})


def test_whoever_dies_whenever_nobody_is_lost_or_doubled_and_the_doubtful_are_listed(approved: Edition) -> None:
    run_state_machine_as_test(house(approved), settings=QUICK)


# The test of the test


def resend_all(patch: pytest.MonkeyPatch) -> None:
    """Who takes a batch over believes the rows, and looks at no journal."""
    patch.setattr(claims, "_settle", lambda *_, **__: None)


def no_intent(patch: pytest.MonkeyPatch) -> None:
    """Nothing is written before the final dot."""
    patch.setattr(journals.Journal, "dot", lambda *_: None)


def forgotten_answers(patch: pytest.MonkeyPatch) -> None:
    """Nothing is written after it."""
    patch.setattr(journals.Journal, "answer", lambda *_: None)


def trust_in_the_journal_of_the_living(patch: pytest.MonkeyPatch) -> None:
    """Nobody asks whether its writer still writes."""
    patch.setattr(journals, "_lock", lambda *_: None)


def deaf_to_a_pause(patch: pytest.MonkeyPatch) -> None:
    """A holder goes on to the end of its batch."""
    patch.setattr(batch._Holder, "stopping", lambda *_: False)


def done_too_soon(patch: pytest.MonkeyPatch) -> None:
    """A batch is given back as done, whoever waits in it."""
    patch.setattr(claims, "_due_again", lambda *_, **__: None)


BUGS = (resend_all, no_intent, forgotten_answers, trust_in_the_journal_of_the_living, deaf_to_a_pause, done_too_soon)


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_that_was_put_in_on_purpose_is_caught(approved: Edition, bug: Callable[..., None]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            house(approved, bug), settings=settings(QUICK, max_examples=300, report_multiple_bugs=False)
        )
