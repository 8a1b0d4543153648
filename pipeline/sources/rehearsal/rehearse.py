"""The walk through a recording: each answer in its order, and what the source makes of it at that time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from pathlib import Path

from pipeline.articles.addresses import comparable, is_home
from pipeline.articles.gates.screen import State, source_event
from pipeline.articles.identity.names import url_name
from pipeline.articles.raw.markup import UnusableInput
from pipeline.articles.read import Reading, read, read_entry
from pipeline.kernel.limits import TooMuchCpu, cpu_seconds
from pipeline.sources.formats.feeds import generator_family
from pipeline.sources.rehearsal import answers, recordings
from pipeline.sources.rehearsal.answers import CPU_S, Kind, Listing
from pipeline.sources.rehearsal.judging import SECOND_LOOK_WITHIN, Judge, is_of, remember
from pipeline.sources.rehearsal.recordings import Recording
from pipeline.sources.rehearsal.stories import Memory, Story, absent

#: A page recorded this long after its story was first listed is what the story said at first.
READ_WITHIN = timedelta(hours=1)
#: As `sources.looks.sitemap` and `sources.watch` have them.
NEWS_WITHIN, FEWEST_KNOWN = timedelta(hours=48), 20
MISSING = frozenset({404, 410})
_ANSWERS = {State.ELIGIBLE: "announce", State.HELD: "hold"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one story. `decision` is announce, hold or ignore; `at` is when it was first seen."""

    decision: str
    reason: str
    params: dict[str, str | int | float]
    title: str
    link: str
    at: datetime
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Verdicts in the order in which their stories were first seen, and warnings that belong to none of them."""

    verdicts: tuple[Verdict, ...]
    warnings: tuple[str, ...]


def rehearse(folder: Path, *, settle: timedelta) -> Rehearsal:
    """Raises UnusableInput for a folder that holds no recording."""
    tape = recordings.read(folder)
    course = _Course(tape, settle)
    for look in _looks(tape):
        course.take(look)
    return Rehearsal(tuple(map(_verdict, course.memory.stories)), tuple(dict.fromkeys(course.warnings)))


def _looks(tape: Iterable[Recording]) -> Iterator[list[Recording]]:
    """Further pages of a list belong to the look at its first."""
    look: list[Recording] = []
    for one in tape:
        follows = look and one.is_list and one.kind is look[0].kind and answers.page_number(one.url) > 1
        if follows and answers.list_of(one.url) == answers.list_of(look[0].url):
            look.append(one)
            continue
        if look:
            yield look
        look = [one]
    if look:
        yield look


def _verdict(story: Story) -> Verdict:
    decision = story.decision
    return Verdict(
        decision=_ANSWERS.get(decision.state, "ignore") if decision else "ignore",
        reason=decision.code if decision else "first_look",
        params=dict(decision.params) if decision else {},
        title=story.title,
        link=story.link,
        at=story.first_seen,
        warnings=tuple(dict.fromkeys(story.warnings)),
    )


@dataclass(slots=True)
class _Way:
    """What is known of one way to watch the site."""

    total: int | None = None
    generator: str = ""
    read: tuple[str, Listing] | None = None
    shown: dict[str, tuple[Story, ...]] = field(default_factory=dict)


class _Course:
    """The source at one moment of the recording."""

    def __init__(self, tape: list[Recording], settle: timedelta) -> None:
        self.memory = Memory()
        self.judge = Judge(self.memory, settle)
        self.warnings: list[str] = []
        self._pages: dict[str, list[Recording]] = {}
        self._ways: dict[str, _Way] = {}
        self._last_success: datetime | None = None
        self._fails = False
        for one in tape:
            for url in {comparable(url) for url in (one.url, one.final_url) if url and one.kind is Kind.PAGE}:
                self._pages.setdefault(url, []).append(one)

    def take(self, look: list[Recording]) -> None:
        """Go through one look, or one answer of a page."""
        first, at = look[0], look[-1].at
        if first.kind is Kind.PAGE:
            self._page(first)
        elif first.status == 304:
            self._succeeded(at)
        elif first.kind and first.status == 200:
            self._list(look, at)
        elif number := answers.post_of(first.url):
            self._missing_post(number, first)
        else:
            self._fails = True
            self.warnings += first.warnings
        self.judge.tell(at=at)

    def _succeeded(self, at: datetime) -> None:
        """A good look, whatever it tells. The first after a day of errors calls for caution."""
        silent = at - self._last_success if self._fails and self._last_success else timedelta(0)
        self.judge.be_careful(source_event(silent_for=silent), at=at)
        self.judge.looks += 1
        self._fails, self._last_success = False, at

    def _list(self, look: list[Recording], at: datetime) -> None:
        kind = look[0].kind
        name = answers.way_of(kind, look[0].url) if kind else ""
        is_first_look, way = name not in self._ways, self._ways.setdefault(name, _Way())
        warnings: list[str] = []
        read = [listing for one in look if (listing := self._read(way, one, warnings))]
        if not read:
            self.warnings += warnings
            self._fails = True
            if is_first_look:
                del self._ways[name]
            return
        self._succeeded(at)
        baseline = self.judge.baseline_at is None
        entries = [entry for listing in read for entry in listing.entries]
        seen = self.memory.observe(entries, at=at, baseline=baseline)
        self._watch_source(way, read[0], new=len(seen.fresh), at=at)
        known = len(entries) - len(seen.fresh)
        self.judge.be_careful(source_event(revised_share=seen.changed / max(FEWEST_KNOWN, known)), at=at)
        for notes in [story.warnings for story in seen.fresh] or [self.warnings]:
            notes.extend(warnings)
        if baseline:
            self.judge.baseline_at = at
        self._decide(seen.fresh, kind, is_first_look=is_first_look, at=at)
        self._compare(way, look[0], seen.listed, at=at)

    def _read(self, way: _Way, one: Recording, warnings: list[str]) -> Listing | None:
        """What a list says. The same bytes are read once, for most looks bring nothing new."""
        warnings += one.warnings
        body = one.body()
        digest = sha256(body).hexdigest()
        if way.read and way.read[0] == digest:
            return way.read[1]
        try:
            listing = answers.listing(one.kind or Kind.FEED, body, url=one.url, headers=one.headers)
        except UnusableInput as error:
            warnings.append(f"{one.path.name}: {error}")
            return None
        warnings += [f"{one.path.name}: {warning}" for warning in listing.warnings]
        way.read = digest, listing
        return listing

    def _watch_source(self, way: _Way, listing: Listing, *, new: int, at: datetime) -> None:
        """Did the site itself change in a way that asks for caution?"""
        families = {generator_family(way.generator), generator_family(listing.generator)}
        changed = bool(way.generator and listing.generator) and len(families) > 1
        total = listing.total if listing.total is not None else way.total
        jump = total - way.total if total is not None and way.total is not None else 0
        self.judge.be_careful(source_event(generator_changed=changed, total_jump=jump, listed=new), at=at)
        way.generator, way.total = listing.generator or way.generator, total

    def _decide(self, fresh: Iterable[Story], kind: Kind | None, *, is_first_look: bool, at: datetime) -> None:
        fresh = list(fresh)
        for story in fresh:
            if self._was_there(story, kind, is_first_look=is_first_look, at=at):
                self.judge.leave_out(story)
                remember(story, _told(story))
        for story in fresh:
            if story.decision is None:
                self.judge.decide(story, self._reading(story, at), at=at)

    def _was_there(self, story: Story, kind: Kind | None, *, is_first_look: bool, at: datetime) -> bool:
        """All of the very first look; of another list's first look, and of a sitemap, what is not dated since."""
        began = self.judge.baseline_at
        if began is None or began == at or self.judge.looks < 2:
            return True
        if is_first_look:
            return story.published is None or story.published < began
        return kind is Kind.SITEMAP and story.published is not None and story.published < at - NEWS_WITHIN

    def _reading(self, story: Story, at: datetime) -> Reading | None:
        """A story told whole needs no page; else the last page recorded before, or the first one after."""
        if story.entry.is_whole:
            return _told(story)
        pages = [one for one in self._pages.get(comparable(story.link), ()) if one.status == 200]
        before = [one for one in pages if one.at <= at]
        after = [one for one in pages if at < one.at <= at + READ_WITHIN]
        one = before[-1] if before else after[0] if after else None
        reading = _page(one, story, is_first=True) if one else None
        return reading if reading is not None and is_of(story, reading) else _told(story)

    def _compare(self, way: _Way, one: Recording, listed: tuple[Story, ...], *, at: datetime) -> None:
        """What a list still shows is there. What it lacks is gone, unless its page is recorded and answers."""
        present = dict.fromkeys(listed)
        for story in present:
            self.judge.note_there(story, None, at=at)
        if one.kind is Kind.SITEMAP or answers.is_partial(one.url):
            return
        key = answers.list_of(one.url)
        for story in absent(way.shown.get(key, ()), present):
            status = self._page_status(story, at)
            if status != 200:
                self.judge.note_missing(story, status=status, at=at)
        way.shown[key] = listed

    def _page_status(self, story: Story, at: datetime) -> int:
        """What the page of a story answers next; 0 where that was not recorded."""
        pages = self._pages.get(comparable(story.link), ())
        return next((one.status for one in pages if at <= one.at <= at + SECOND_LOOK_WITHIN), 0)

    def _page(self, one: Recording) -> None:
        story = self.memory.find([url_name(url) for url in (one.url, one.final_url) if url])
        if story is None:
            self.warnings += one.warnings
            return
        story.warnings += one.warnings
        led_home = bool(one.final_url and is_home(one.final_url) and not is_home(story.link))
        if one.status in MISSING or led_home:
            self.judge.note_missing(story, status=one.status, at=one.at)
        elif one.status == 200:
            self.judge.note_there(story, _page(one, story, is_first=False) if story.is_waiting else None, at=one.at)

    def _missing_post(self, number: int, one: Recording) -> None:
        """A site that hides a post again refuses its number with 401 or 404."""
        story = self.memory.find([("wp_id", str(number))])
        if story and one.status in {*MISSING, 401} and self._page_status(story, one.at) != 200:
            self.judge.note_missing(story, status=one.status, at=one.at)


def _page(one: Recording, story: Story, *, is_first: bool) -> Reading | None:
    """At first what the list told is one of the witnesses; later that may be older than the page."""
    entry = story.entry if is_first else None
    try:
        with cpu_seconds(CPU_S):
            return read(one.body(), url=one.final_url or one.url, headers=one.headers, entry=entry)
    except (UnusableInput, TooMuchCpu) as error:
        story.warnings.append(f"{one.path.name}: {error}")
        return None


def _told(story: Story) -> Reading | None:
    """The story in the words of its list, where it has any. They are all there is, so they stand for the whole."""
    markup = story.entry.content_html or (f"<p>{escape(story.entry.summary)}</p>" if story.entry.summary else "")
    if not markup:
        return None
    try:
        with cpu_seconds(CPU_S):
            return read_entry(replace(story.entry, content_html=markup, is_whole=True), url=story.link)
    except (UnusableInput, TooMuchCpu) as error:
        story.warnings.append(str(error))
        return None
