"""Stories that may not be sent, that lack something, or that come twice in one guise or another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.editions.content import EditionContent, Story
from pipeline.editions.findings.finding import BLOCK, CONFIRM, NOTE, Facts, Finding, placed

#: Blocks in which a reader takes the byline in.
_WITH_BYLINES = frozenset({"lead", "top", "opinion"})
#: Bylines of nobody in particular.
_AGENCIES = frozenset(
    {"afp", "agence france-presse", "ap", "associated press", "the associated press", "bloomberg", "dpa", "reuters",
     "staff", "staff reporter", "staff reporters", "newsroom", "editorial board", "agencies"}
)  # fmt: skip
#: Two headlines tell of one event where this share of the shorter one's words, and at least this many, are shared.
_ALIKE, _SHARED = 0.6, 3
_WORD = re.compile(r"\w{3,}")
_COMMON = frozenset({"the", "and", "for", "with", "from", "that", "this", "are", "was", "has", "have", "its", "after",
                     "over", "into", "new", "says", "why", "how", "what", "who", "will", "but", "not", "his", "her",
                     "les", "des", "une", "der", "die", "das", "und", "los", "las", "del", "que", "por"})  # fmt: skip


def of_stories(content: EditionContent, *, facts: Facts) -> Iterator[Finding]:
    """What is wrong with the stories, one by one and taken together."""
    if not content.stories():
        yield Finding(code="no_items", level=BLOCK, where="blocks")
    for where, _, story in placed(content):
        yield from _of_one(story, where=where, facts=facts)
    yield from _headless(content)
    yield from _blocks(content, facts=facts)
    yield from _repeated(content)
    yield from _bylines(content)
    yield from _events(content)


def _of_one(story: Story, *, where: str, facts: Facts) -> Iterator[Finding]:
    params = {"headline": story.headline}
    if story.article_id in facts.killed:
        yield Finding(code="killed_item", level=BLOCK, where=where, params=params)
    if story.article_id in facts.embargoed:
        yield Finding(code="embargoed_item", level=BLOCK, where=where, params=params)
    if story.article_id in facts.changed:
        yield Finding(code="changed_item", level=CONFIRM, where=where, params=params)


def _headless(content: EditionContent) -> Iterator[Finding]:
    for number, block in enumerate(content.blocks, start=1):
        for position, story in enumerate(block.stories, start=1):
            if not story.headline.strip():
                params = {"position": position, "block": block.title or block.kind}
                yield Finding(code="empty_headline", level=BLOCK, where=f"story/{number}/{position}", params=params)


def _blocks(content: EditionContent, *, facts: Facts) -> Iterator[Finding]:
    titles = {block.title: f"block/{number}" for number, block in enumerate(content.blocks, start=1) if block.title}
    for number, block in enumerate(content.blocks, start=1):
        if not block.stories and not block.note.strip():
            params = {"block": block.title or block.kind}
            yield Finding(code="empty_block", level=CONFIRM, where=f"block/{number}", params=params)
    for title, found, minimum in facts.short_blocks:
        short = {"block": title or "without a title", "found": found, "minimum": minimum}
        yield Finding(code="short_block", level=CONFIRM, where=titles.get(title, "blocks"), params=short)


def _repeated(content: EditionContent) -> Iterator[Finding]:
    seen: set[str] = set()
    for where, _, story in placed(content):
        if story.url and story.url in seen:
            yield Finding(code="repeated_item", level=NOTE, where=where, params={"headline": story.headline})
        seen.add(story.url)


def _bylines(content: EditionContent) -> Iterator[Finding]:
    over: dict[str, Story] = {}
    for where, kind, story in placed(content):
        if kind not in _WITH_BYLINES:
            continue
        for author in dict.fromkeys(story.authors):
            name = " ".join(author.casefold().split())
            first = over.setdefault(name, story)
            if name and name not in _AGENCIES and first.url != story.url:
                params = {"author": author, "headline": story.headline, "other": first.headline}
                yield Finding(code="repeated_byline", level=NOTE, where=where, params=params)


def _events(content: EditionContent) -> Iterator[Finding]:
    seen: list[tuple[Story, frozenset[str]]] = []
    for where, _, story in placed(content):
        words = frozenset(_WORD.findall(story.headline.casefold())) - _COMMON
        like = next((other for other, theirs in seen if other.url != story.url and _alike(words, theirs)), None)
        if like is not None:
            params = {"headline": story.headline, "other": like.headline}
            yield Finding(code="one_event", level=NOTE, where=where, params=params)
        seen.append((story, words))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared >= _SHARED and shared >= _ALIKE * min(len(one), len(other))
