"""Which of an edition's blocks a reader gets, in which order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any


def arrangement(parts: Sequence[Mapping[str, Any]], followed: Collection[str], choice: str) -> tuple[int, ...]:
    """The positions of `parts` ({"block": position, "topic": slug or ""}) for a reader who follows these topics.

    `first`: blocks they follow before the other blocks with a topic; everybody's blocks keep their places.
    `only`: everybody's blocks and those they follow. Whoever follows none of the topics gets all, as written.
    """
    if choice == "first":
        return _first(parts, followed)
    if choice == "only" and any(part["topic"] in followed for part in parts if part["topic"]):
        return tuple(part["block"] for part in parts if not part["topic"] or part["topic"] in followed)
    return tuple(part["block"] for part in parts)


def _first(parts: Sequence[Mapping[str, Any]], followed: Collection[str]) -> tuple[int, ...]:
    topical = sorted((part for part in parts if part["topic"]), key=lambda part: part["topic"] not in followed)
    following = iter(topical)
    return tuple((next(following) if part["topic"] else part)["block"] for part in parts)
