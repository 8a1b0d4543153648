"""What becomes of an edition that is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.schedule.lateness import POLICIES, Action, Decision, LatePolicy, decide

SLOT = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)


def decided(then: Action, after: timedelta, *, next_slot: timedelta | None = None) -> Decision:
    policy = LatePolicy(then=then, after_s=4 * 3600)
    following = SLOT + next_slot if next_slot else None
    return decide(policy, slot_at=SLOT, now=SLOT + after, next_slot_at=following)


@pytest.mark.parametrize("then", POLICIES)
@pytest.mark.parametrize(
    ("after", "action", "reason"),
    [
        (timedelta(minutes=-12), Action.WAIT, "leaves in 12 min"),
        (timedelta(), Action.SEND, "on time"),
        (timedelta(seconds=59), Action.SEND, "on time"),
        (timedelta(minutes=5), Action.SEND, "5 min late, within bounds"),
        (timedelta(hours=4), Action.SEND, "4 h 00 min late, within bounds"),
    ],
)
def test_within_its_bounds_an_edition_leaves_whatever_the_policy(
    *, then: Action, after: timedelta, action: Action, reason: str
) -> None:
    assert decided(then, after) == Decision(action, after.total_seconds(), reason)


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (Action.SEND, "sent anyway"),
        (Action.RENDER_AGAIN, "rendered again with what is true now, then sent"),
        (Action.WEB_ONLY, "published on the web and not mailed"),
        (Action.HOLD, "held until a person decides"),
    ],
)
def test_past_its_deadline_the_policy_decides(then: Action, words: str) -> None:
    late = timedelta(hours=8, minutes=30)
    assert decided(then, late) == Decision(then, 30600.0, f"8 h 30 min late, allowed 4 h 00 min: {words}")


@pytest.mark.parametrize("then", [Action.SEND, Action.RENDER_AGAIN, Action.HOLD])
def test_once_the_next_slot_has_come_nothing_is_mailed_by_itself(then: Action) -> None:
    overtaken = decided(then, timedelta(hours=2), next_slot=timedelta(hours=1))
    assert overtaken.action is Action.HOLD
    assert overtaken.reason == "2 h 00 min late and the next slot has come: held"
    assert decided(then, timedelta(minutes=59), next_slot=timedelta(hours=1)).action is Action.SEND


def test_an_overtaken_edition_for_the_web_goes_to_the_web() -> None:
    assert decided(Action.WEB_ONLY, timedelta(hours=2), next_slot=timedelta(hours=1)).action is Action.WEB_ONLY


def test_the_deadline_is_said_beforehand() -> None:
    assert LatePolicy(after_s=900).deadline(SLOT) == SLOT + timedelta(minutes=15)


def test_a_policy_can_be_given_as_its_stored_word() -> None:
    assert LatePolicy(then="web_only").then is Action.WEB_ONLY  # type: ignore[arg-type]


@pytest.mark.parametrize(("then", "after_s"), [("wait", 60), ("shred", 60), ("send", -1)])
def test_what_is_no_policy_is_refused(then: str, after_s: int) -> None:
    with pytest.raises(ValueError, match=then):
        LatePolicy(then=then, after_s=after_s)  # type: ignore[arg-type]
