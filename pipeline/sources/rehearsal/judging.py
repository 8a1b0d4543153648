"""Deciding about stories in memory: the gates of articles/gates, asked with what a recording tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from pipeline.articles.gates.likeness import (
    SIMILAR,
    is_page_of,
    is_same,
    same_family,
    shares_page,
    similarity,
    sketch,
    title_key,
)
from pipeline.articles.gates.screen import (
    CAUTIOUS_FOR,
    COMPARED_FOR,
    MAX_AGE,
    MOST_COMPARED,
    QUICK_MOST,
    QUICK_WITHIN,
    SETTLE_OF_THE_QUICK,
    Decision,
    Facts,
    State,
    screen,
)
from pipeline.articles.identity.names import url_name
from pipeline.articles.read import Reading
from pipeline.sources.rehearsal.stories import Memory, Story

HOUR = timedelta(hours=1)
#: The live system goes to a page when its story settles. A recording seldom holds that very second, so the first
#: answer about the story within this time stands for that look.
SECOND_LOOK_WITHIN = timedelta(minutes=5)


@dataclass(slots=True)
class Judge:
    """What the gates know of the source, and the verdicts so far."""

    memory: Memory
    settle: timedelta
    baseline_at: datetime | None = None
    looks: int = 0
    cautious_until: datetime | None = None
    cautious_because: str = ""
    _waiting: list[Story] = field(default_factory=list)
    _confirmed: set[Story] = field(default_factory=set)
    _eligible: list[datetime] = field(default_factory=list)

    def be_careful(self, because: str | None, *, at: datetime) -> None:
        if because:
            self.cautious_until, self.cautious_because = at + CAUTIOUS_FOR, because

    def leave_out(self, story: Story) -> None:
        """It was there before us."""
        story.decision = Decision(State.BASELINE, "first_look")

    def decide(self, story: Story, reading: Reading | None, *, at: datetime) -> None:
        """Read a story and ask the gates."""
        if reading is not None:
            _fill(story, reading)
            if (same := self._same_page(story, reading)) is not None:
                self.memory.merge([same, story])
                return
        decision = screen(self._facts(story, reading, at=at))
        story.decision = decision
        if decision.state is State.ELIGIBLE:
            story.settles_at = at + self._settle(at)
            story.is_told = story.settles_at == at
            self._eligible.append(at)
            self._waiting.append(story)
        elif decision.code in {"burst", "source_event"}:
            self._pull_back(decision, at=at)

    def note_missing(self, story: Story, *, status: int, at: datetime) -> None:
        """The site has it no more; what was not told by then is not told."""
        if self._looks_again(story, at):
            story.decision = Decision(State.ARCHIVED, "gone_before_told", {"status": status} if status else {})
            story.missing_at = at

    def note_there(self, story: Story, reading: Reading | None, *, at: datetime) -> None:
        """The site still has it; its page may say that it must not be told."""
        if not self._looks_again(story, at):
            return
        if reading is not None and (objection := _objection(story, reading)):
            story.decision = objection
        elif story.settles_at and at >= story.settles_at:
            self._confirmed.add(story)

    def tell(self, *, at: datetime) -> None:
        """What settled before `at`, and was looked at again if it could be, is told."""
        for story in self._waiting:
            if story.is_waiting and story.settles_at and story.settles_at < at:
                story.is_told = story in self._confirmed or story.settles_at + SECOND_LOOK_WITHIN < at
        self._waiting = [story for story in self._waiting if story.is_waiting]

    def _looks_again(self, story: Story, at: datetime) -> bool:
        if not story.is_waiting or story.settles_at is None or story in self._confirmed:
            return False
        return at <= story.settles_at + SECOND_LOOK_WITHIN

    def _settle(self, at: datetime) -> timedelta:
        if self.settle:
            return self.settle
        lately = sum(then > at - QUICK_WITHIN for then in self._eligible[-QUICK_MOST:])
        return timedelta(0) if lately < QUICK_MOST else SETTLE_OF_THE_QUICK

    def _pull_back(self, decision: Decision, *, at: datetime) -> None:
        """Hold what is ready and not told: a burst is held whole, its first stories included."""
        for story in self._waiting:
            if story.is_waiting and story.settles_at and story.settles_at >= at:
                story.decision = decision

    def _new_in_hour(self, story: Story, at: datetime) -> int:
        """As `articles.gates.facts.new_in_hour` asks it of rows: decided or not, this one's whole batch included."""
        recent = takewhile(lambda each: each.first_seen > at - HOUR, reversed(self.memory.stories))
        return sum(_is_news(each, at) for each in recent if each is not story) + 1

    def _same_page(self, story: Story, reading: Reading) -> Story | None:
        """The page's own address may be one we know under another name; otherwise it becomes a name of the story."""
        if not reading.canonical:
            return None
        name = url_name(reading.canonical)
        found = self.memory.find([name])
        if found is None:
            self.memory.add_names(story, [name])
            return None
        if found is story or not shares_page(story.title, found.title, texts=(story.likeness, found.likeness)):
            return None
        return found

    def _facts(self, story: Story, reading: Reading | None, *, at: datetime) -> Facts:
        marks = {marker.kind: marker.text for marker in reading.markers} if reading else {}
        same, how_like = self._likest(story)
        return Facts(
            now=at,
            first_seen=story.first_seen,
            baseline_at=self.baseline_at,
            looks=self.looks,
            published=story.published,
            dateline_date=reading.dateline.date if reading and reading.dateline else None,
            same_as=(same.link or same.title) if same else None,
            similarity=how_like,
            embargo=marks.get("embargo"),
            retraction=marks.get("retraction"),
            fresh_in_hour=self._new_in_hour(story, at),
            cautious_until=self.cautious_until,
            cautious_because=self.cautious_because,
        )

    def _likest(self, story: Story) -> tuple[Story | None, float]:
        if not story.likeness:
            return None, 0.0
        best: tuple[Story | None, float] = (None, 0.0)
        compared = 0
        for other in reversed(self.memory.stories[: self.memory.stories.index(story)]):
            is_near = other.first_seen >= story.first_seen - COMPARED_FOR or other.title_key == story.title_key
            if not other.likeness or other.state is State.DUPLICATE or not is_near:
                continue
            compared += 1
            how_like = similarity(story.likeness, other.likeness)
            if how_like > best[1] and is_same(story, other, how_like=how_like):
                best = other, how_like
            if compared >= MOST_COMPARED:
                break
        return best


def remember(story: Story, reading: Reading | None) -> None:
    """What a story says that was there before us, to know it again under another name."""
    if reading is not None:
        _fill(story, reading)


def is_of(story: Story, reading: Reading) -> bool:
    """Few words under another headline are a block page or a login, not the story."""
    return is_page_of(story.title, title=reading.title or "", text=reading.text)


def _fill(story: Story, reading: Reading) -> None:
    story.title = reading.title or story.title
    story.published = reading.published or story.published
    story.text = reading.text or story.text
    story.title_key = title_key(story.title)
    story.likeness = sketch(story.text)


def _is_news(story: Story, at: datetime) -> bool:
    if story.decision is None:
        return story.published is None or story.published >= at - MAX_AGE
    return story.state is State.ELIGIBLE or (story.state is State.HELD and story.decision.code == "burst")


def _objection(story: Story, reading: Reading) -> Decision | None:
    """Why a story must not be told after all, as `articles.gates.announce` asks it."""
    is_same_text = story.entry.is_whole and similarity(story.likeness, sketch(reading.text)) >= SIMILAR
    if reading.title and not same_family(story.title, reading.title) and not is_same_text:
        return Decision(State.HELD, "another_story", {"headline": reading.title[:200]})
    marks = [mark.text for mark in reading.markers if mark.kind in {"embargo", "retraction"}]
    return Decision(State.HELD, "marked_since", {"text": marks[0][:300]}) if marks else None
