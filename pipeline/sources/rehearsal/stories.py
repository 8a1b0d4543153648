"""One article for each story, in memory: the rules of articles/identify without its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.articles.addresses import comparable, normalise
from pipeline.articles.gates.likeness import title_key
from pipeline.articles.gates.screen import Decision, State, identity_break
from pipeline.articles.identity.names import LONGEST_NAME, Name, names_of
from pipeline.sources.formats.entries import Entry

#: As `articles.telling` has them.
CACHES_FORGET, MOST_RETURNS, MOST_RETELLINGS = timedelta(seconds=60), 5, 24


@dataclass(slots=True, eq=False)
class Story:
    """What is known of one story. Without a `decision` it waits to be read and screened."""

    entry: Entry
    first_seen: datetime
    link: str
    title: str
    title_key: str
    published: datetime | None
    warnings: list[str] = field(default_factory=list)
    decision: Decision | None = None
    text: str = ""
    likeness: bytes = b""
    settles_at: datetime | None = None
    is_told: bool = False
    missing_at: datetime | None = None
    returns: int = 0
    retold: int = 0
    said: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> State | None:
        return self.decision.state if self.decision else None

    @property
    def is_waiting(self) -> bool:
        """Eligible and not told: it may yet be held, or turn out to be gone."""
        return self.state is State.ELIGIBLE and not self.is_told


@dataclass(frozen=True, slots=True)
class Seen:
    """What one list brought: all its stories in its order, those to be decided, and how many known ones changed."""

    listed: tuple[Story, ...]
    fresh: tuple[Story, ...]
    changed: int


class Memory:
    """Every story of a source, the oldest first, and the names they go by."""

    def __init__(self) -> None:
        self.stories: list[Story] = []
        self._names: dict[Name, Story] = {}
        self._titles: dict[str, Story] = {}

    def find(self, names: Iterable[Name]) -> Story | None:
        """The story that goes by any of these names, the first name first."""
        return next((self._names[name] for name in names if name in self._names), None)

    def observe(self, entries: Sequence[Entry], *, at: datetime, baseline: bool) -> Seen:
        """Take in what a list tells. With `baseline`, the gates have not to be asked yet."""
        told = [(entry, names_of(entry)) for entry in entries if entry.link]
        if not baseline and self._renamed(told):
            self._add_new_names(told)
        listed, fresh, changed = [], [], 0
        for entry, names in told:
            story, is_new, is_changed = self._observe_one(entry, names, at=at)
            listed.append(story)
            fresh += [story] if is_new else []
            changed += is_changed and not is_new
        return Seen(tuple(dict.fromkeys(listed)), tuple(dict.fromkeys(fresh)), changed)

    def merge(self, stories: Iterable[Story]) -> Story:
        """Two names turned out to be one story: the older keeps them all."""
        oldest, *younger = sorted(set(stories), key=self.stories.index)
        for name, story in list(self._names.items()) if younger else ():
            if story in younger:
                self._names[name] = oldest
        for story in younger:
            if not story.is_told:
                story.decision = Decision(State.DUPLICATE, "same_story", {"article": oldest.link})
        return oldest

    def add_names(self, story: Story, names: Iterable[Name]) -> None:
        """A name that is another story's already stays with it."""
        for name in names:
            self._names.setdefault(name, story)
        if story.title_key:
            self._titles.setdefault(story.title_key, story)

    def _observe_one(self, entry: Entry, names: list[Name], *, at: datetime) -> tuple[Story, bool, bool]:
        known = list(dict.fromkeys(self._names[name] for name in names if name in self._names))
        if not known:
            story = _story(entry, at)
            self.stories.append(story)
            self.add_names(story, names)
            return story, True, False
        is_new_address = names[-1] not in self._names
        story = self.merge(known) if len(known) > 1 else known[0]
        self.add_names(story, names)
        if _is_back(story, at):
            story.decision, story.missing_at, story.returns = None, None, story.returns + 1
            _retell(story, entry, may_move=True)
            return story, True, True
        return story, False, _retell(story, entry, may_move=entry.is_whole or is_new_address)

    def _renamed(self, told: Sequence[tuple[Entry, list[Name]]]) -> bool:
        sightings = []
        for entry, names in told:
            otherwise = title_key(entry.title) in self._titles or any(n in self._names for n in names if n[0] != "guid")
            sightings.append((("guid", entry.id[:LONGEST_NAME]) in self._names, otherwise))
        return identity_break(sightings)

    def _add_new_names(self, told: Sequence[tuple[Entry, list[Name]]]) -> None:
        """In a renaming, a story whose title we have and whose names we have not is that story."""
        for entry, names in told:
            story = self._titles.get(title_key(entry.title))
            if story and not any(name in self._names for name in names):
                self.add_names(story, names)


def _story(entry: Entry, at: datetime) -> Story:
    return Story(
        entry=entry,
        first_seen=at,
        link=normalise(entry.link or ""),
        title=entry.title,
        title_key=title_key(entry.title),
        published=entry.published or entry.updated,
        said=dict([_said(entry)]),
    )


def _is_back(story: Story, at: datetime) -> bool:
    """Was it taken back before it was told, and is it listed all the same, some time later?"""
    if story.decision is None or story.decision.code != "gone_before_told" or story.missing_at is None:
        return False
    return at - story.missing_at >= CACHES_FORGET and story.returns < MOST_RETURNS


def _retell(story: Story, entry: Entry, *, may_move: bool) -> bool:
    """Keep the better telling; whether this kind of list says something else than it did of a story we watch."""
    if may_move and entry.link and comparable(entry.link) != comparable(story.link):
        story.link = normalise(entry.link)
    shape, digest = _said(entry)
    before = story.said.get(shape)
    if before == digest:
        return False
    story.said[shape], story.retold = digest, story.retold + (before is not None)
    if entry.is_whole or not story.entry.is_whole:
        story.entry, story.title = entry, entry.title or story.title
        story.title_key = title_key(story.title)
    is_watched = story.state in {State.ELIGIBLE, State.HELD}
    return before is not None and is_watched and story.retold <= MOST_RETELLINGS


def _said(entry: Entry) -> tuple[str, str]:
    """(what kind of telling this is, its digest); a moved date counts unless the entry is the whole story."""
    shape = "whole" if entry.is_whole else f"{bool(entry.summary)} {bool(entry.content_html)}"
    said = [entry.title, entry.summary or "", entry.content_html or "", entry.image or ""]
    said += [entry.updated.isoformat()] if entry.updated and not entry.is_whole else []
    return shape, hashlib.sha256("\n".join(said).encode("utf-8", "replace")).hexdigest()


def absent(before: Sequence[Story], now: Mapping[Story, object]) -> list[Story]:
    """Stories that a list showed above one it still shows, and shows no more: they were not pushed out of it."""
    still = [number for number, story in enumerate(before) if story in now]
    return [story for story in before[: max(still, default=0)] if story not in now]
