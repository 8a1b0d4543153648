"""What becomes of an edition that is still here after its time: decided before, not at 14:00 by whoever is awake.

A morning digest sent in the afternoon is an incident of its own (the reliability reference 1.3); so is one mail for
each slot of a two-day outage. Every answer comes with a sentence for the queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Action(StrEnum):
    """What to do now. The last four are what an editor chooses from for the time after the deadline."""

    WAIT = "wait"
    SEND = "send"
    RENDER_AGAIN = "render_again"
    WEB_ONLY = "web_only"
    HOLD = "hold"


POLICIES = (Action.SEND, Action.RENDER_AGAIN, Action.WEB_ONLY, Action.HOLD)
_SENTENCES = {
    Action.SEND: "sent anyway",
    Action.RENDER_AGAIN: "rendered again with what is true now, then sent",
    Action.WEB_ONLY: "published on the web and not mailed",
    Action.HOLD: "held until a person decides",
}


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """`then` applies once a slot is more than `after_s` seconds past. Raises ValueError for what is no policy."""

    then: Action = Action.HOLD
    after_s: int = 4 * 3600

    def __post_init__(self) -> None:
        object.__setattr__(self, "then", Action(self.then))
        if self.then not in POLICIES or self.after_s < 0:
            raise ValueError(f"{self.then} after {self.after_s} s is not a late policy")

    def deadline(self, slot_at: datetime) -> datetime:
        """The last instant at which the slot counts as on time."""
        return slot_at + timedelta(seconds=self.after_s)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, how many seconds late it is (negative before the slot) and why, as a sentence."""

    action: Action
    late_s: float
    reason: str


def decide(policy: LatePolicy, *, slot_at: datetime, now: datetime, next_slot_at: datetime | None = None) -> Decision:
    """Whether an edition that is ready may leave now.

    Once the following slot has come as well, nothing is mailed by itself: an outage must not end in a burst.
    """
    late_s = (now - slot_at).total_seconds()
    if now < slot_at:
        return Decision(Action.WAIT, late_s, f"leaves in {_spoken(-late_s)}")
    overtaken = next_slot_at is not None and slot_at < next_slot_at <= now
    if overtaken and policy.then is not Action.WEB_ONLY:
        return Decision(Action.HOLD, late_s, f"{_spoken(late_s)} late and the next slot has come: held")
    if now <= policy.deadline(slot_at) and not overtaken:
        return Decision(Action.SEND, late_s, "on time" if late_s < 60 else f"{_spoken(late_s)} late, within bounds")
    allowed = _spoken(policy.after_s)
    return Decision(policy.then, late_s, f"{_spoken(late_s)} late, allowed {allowed}: {_SENTENCES[policy.then]}")


def _spoken(seconds: float) -> str:
    """ "45 s", "12 min", "3 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(int(seconds // 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
