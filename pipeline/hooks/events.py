"""Everything a hook can hear of, with the body it is told in. Names never change; bodies only gain fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class UnknownEvent(ValueError):
    """No such event; the message names those there are."""


@dataclass(frozen=True, slots=True)
class Event:
    """When it happens, in a sentence, and the fields of its body, each in words."""

    when: str
    fields: Mapping[str, str] = field(default_factory=dict)


_STORY = {
    "id": "our number of the story",
    "url": "its address",
    "headline": "as it stands now",
    "section": "path, a list",
    "version": "of its text, from 1",
    "said": "the site’s own words, or the reason",
}
_EDITION = {
    "id": "our number of the edition",
    "newsletter": "its slug",
    "slot_at": "when it was to leave",
}
_READER = {"topic": "slug of the newsletter", "form": "where they joined or left; nobody is named"}
EVENTS: Mapping[str, Event] = {
    "article.announced": Event("A story is told as news, once.", _STORY),
    "article.corrected": Event("A told story carries a correction.", _STORY),
    "article.killed": Event("A told story was killed, withdrawn or is gone from its site.", _STORY),
    "edition.sent": Event("Every mail of an edition was handed over.", {**_EDITION, "recipients": "how many mails"}),
    "post.posted": Event(
        "A post stands on its network.",
        {"id": "our number of the post", "network": "x, mastodon, ...", "url": "of the post", "article": "its story"},
    ),
    "popular.changed": Event(
        "Another story, or another order, in a list of the whole site.",
        {"window": "now, today, week, trending", "items": "place, id, url, title and clicks of each", "note": "what filled it up"},
    ),
    "reader.joined": Event("A reader confirmed a subscription.", _READER),
    "reader.left": Event("A reader left a newsletter.", _READER),
}  # fmt: skip


def known(names: Iterable[str]) -> list[str]:
    """The names, sorted, each once. Raises UnknownEvent."""
    asked = sorted(set(names))
    odd = [name for name in asked if name not in EVENTS]
    if odd:
        raise UnknownEvent(f"{', '.join(odd)}: no such event; there are {', '.join(EVENTS)}")
    return asked


def envelope(*, notice_id: int, event: str, at: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What is posted. `id` is the same at every try."""
    return {"id": notice_id, "event": event, "at": at, "data": dict(body)}
