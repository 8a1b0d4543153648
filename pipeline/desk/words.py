"""States in a word or two, and numbers, spans and places as a person says them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.kernel.pages import DAY, HOUR, MINUTE, local, number

CLOCK = "%H:%M"


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in a word or two; `tone` picks its shape and colour: waiting, needs, moving, done, trouble, off."""

    label: str
    tone: str


BADGES: Mapping[str, Mapping[str, Badge]] = {
    "edition": {
        "planned": Badge("planned", "waiting"),
        "collecting": Badge("collecting", "moving"),
        "ready": Badge("ready", "needs"),
        "approved": Badge("approved", "done"),
        "sending": Badge("sending", "moving"),
        "sent": Badge("sent", "done"),
        "skipped": Badge("skipped", "off"),
        "held": Badge("held", "trouble"),
        "expired": Badge("expired", "off"),
        "cancelled": Badge("cancelled", "off"),
        "killed": Badge("killed", "off"),
    },
    "send": {
        "planned": Badge("about to start", "waiting"),
        "preparing": Badge("counting readers", "moving"),
        "submitting": Badge("sending", "moving"),
        "paused": Badge("paused", "trouble"),
        "asking": Badge("asks for a yes", "needs"),
        "submitted": Badge("all handed over", "done"),
        "failed": Badge("failed", "trouble"),
        "cancelled": Badge("cancelled", "off"),
    },
    "delivery": {
        "pending": Badge("waiting", "waiting"),
        "accepted": Badge("accepted", "done"),
        "deferred": Badge("deferred", "moving"),
        "refused": Badge("refused", "trouble"),
        "bounced": Badge("bounced", "trouble"),
        "complained": Badge("complained", "trouble"),
        "suppressed": Badge("suppressed", "off"),
        "cancelled": Badge("cancelled", "off"),
        "unknown": Badge("unknown", "needs"),
    },
    "post": {
        "draft": Badge("draft", "waiting"),
        "due": Badge("due", "waiting"),
        "sending": Badge("sending", "moving"),
        "posted": Badge("posted", "done"),
        "unknown": Badge("unknown", "needs"),
        "rejected": Badge("rejected", "trouble"),
        "held": Badge("held", "trouble"),
        "expired": Badge("expired", "off"),
        "cancelled": Badge("cancelled", "off"),
        "deleted": Badge("deleted", "off"),
    },
    "article": {
        "seen": Badge("seen", "moving"),
        "read": Badge("read", "moving"),
        "eligible": Badge("eligible", "done"),
        "baseline": Badge("baseline", "off"),
        "archived": Badge("archived", "off"),
        "held": Badge("held", "trouble"),
        "duplicate": Badge("duplicate", "off"),
        "killed": Badge("killed", "trouble"),
        "gone": Badge("gone", "off"),
    },
}


def badge(kind: str, state: str) -> Badge:
    """The badge of a row's state; a state without one shows its own name."""
    return BADGES[kind].get(state, Badge(readable(state), "waiting"))


def readable(code: str) -> str:
    """A code without a sentence, as words: better than nothing, and a test asks for the sentence."""
    return code.replace("_", " ").strip()


def duration(seconds: float) -> str:
    """A span in its largest whole unit: 18 min."""
    units = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"))
    return next((f"{int(seconds // size)} {unit}" for size, unit in units if seconds >= size), f"{int(seconds)} s")


def place(path: Iterable[str]) -> str:
    """A section path as readers see it: keys lose their dashes, names stay as the newsroom wrote them."""
    return " › ".join(_section(str(part)) for part in path)


def _section(key: str) -> str:
    last = key.rpartition("/")[2]
    return last.replace("-", " ").title() if last == last.lower() else last


def count(n: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 story, 12 463 readers."""
    return f"{number(n)} {one if n == 1 else many or one + 's'}"


def counted_at(at: datetime | None, zone: str) -> str:
    """That a number is some minutes old; nothing where it was counted just now."""
    return f" Counted at {local(at, zone, CLOCK)}; it is counted again when it leaves." if at else ""
