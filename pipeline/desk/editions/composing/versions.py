"""Two people wrote: what each form was filled with, whose words are chosen, and how that is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.desk.editions.composing import history
from pipeline.editions.acts import merging, review
from pipeline.staff.models import User


def seen_in(sent: Mapping[str, str], names: Sequence[str]) -> dict[str, str] | None:
    """What a form's fields were filled with, as it says itself; None where it does not say."""
    seen = {name: sent[f"seen_{name}"] for name in names if f"seen_{name}" in sent}
    return seen if len(seen) == len(names) else None


def picked(sent: Mapping[str, str], mine: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """Their words where a person chose those."""
    return {name: theirs[name] if sent.get(f"pick_{name}") == "theirs" else text for name, text in mine.items()}


def clash(edition_id: int, error: merging.Clashing, *, revision: int, but: User) -> str:
    """Who wrote the same words meanwhile, and what to do."""
    who, what = history.others(edition_id, revision=revision, but=but), _named(error.names)
    return f"{who} changed the {what} while you were writing. Nothing was changed now: choose, then keep it."


def taken(kept: merging.Kept, *, revision: int, but: User) -> str:
    """What somebody else had changed meanwhile and stays so; nothing where that is nothing."""
    if not kept.taken:
        return ""
    who = history.others(kept.edition.id, revision=revision, but=but)
    return f"{who} changed the {_named(kept.taken)} meanwhile; that stays as they made it. "


def why(edition_id: int, error: review.Refused, *, revision: int, but: User) -> str:
    """Why an act was refused, and what others did meanwhile where that is why."""
    if not isinstance(error, review.Stale):
        return str(error)
    return f"{error} {history.since(edition_id, revision=revision, but=but)}".strip()


def _named(names: Sequence[str]) -> str:
    return history.listed([history.LABELS[name].lower() for name in names])
