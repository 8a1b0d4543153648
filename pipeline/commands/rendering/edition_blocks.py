"""The blocks of an edition made from a file: laid out as a morning would, or by the rules the file gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.commands.rendering.edition_file import Reading
from pipeline.commands.unusable import UnusableInput
from pipeline.editions.choosing.bars import Candidate, Frame
from pipeline.editions.choosing.rules import NOTE, SPONSOR, Rule, UnusableRule
from pipeline.editions.choosing.select import Choice, Selection, choose
from pipeline.editions.content import FilledBlock, Picture, Story
from pipeline.editions.designs.placing import KINDS

_OPINION = frozenset({"opinion", "opinions", "comment", "commentary", "editorial", "columns"})
_TOP = 3
#: A file has no yesterday: whatever is in it may be used, unless a rule says how old it may be.
_EVER = timedelta(days=366 * 100)
#: Largest number a rule may hold: the hours of a century, roughly.
_MOST = 1_000_000
_LISTS = frozenset({"sections", "exclude", "topics", "exclude_topics", "sources"})
#: What each part of a rule holds, and how that is said.
_PARTS: dict[str, tuple[type, str]] = {
    **dict.fromkeys(_LISTS - {"sources"}, (str, "a list of text")),
    "sources": (int, "a list of numbers"),
    **dict.fromkeys(("count", "minimum", "most_age_h", "per_author", "per_section"), (int, "a whole number")),
    **dict.fromkeys(("order", "fallback", "topic"), (str, "text")),
    "story": (dict, "an object"),
}


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks, what was left out of them and why, and which came up short (title, found, minimum)."""

    filled: tuple[FilledBlock, ...]
    left_out: tuple[dict[str, Any], ...] = ()
    short: tuple[tuple[str, int, int], ...] = ()


def by_rules(
    stories: Sequence[Story], articles: Sequence[Any], settings: dict[str, Any], *, slot: datetime, reading: Reading
) -> Blocks:
    """The blocks the file asks for: [{"kind", "title", "rule", "note", "link"}]. Raises UnusableInput for a bad rule.

    `articles` are the file's own records, for what a story does not keep: topics, related, evergreen.
    """
    asked = [each for each in settings["blocks"] if isinstance(each, dict)]
    if len(asked) < len(settings["blocks"]):
        reading.warnings.append("newsletter: blocks should be objects; the others are left out")
    rules = [_rule(each, position=position, reading=reading) for position, each in enumerate(asked, start=1)]
    popular = reading.texts(settings, "popular", where="newsletter")
    candidates = [_candidate(each, articles, stories, popular=popular, slot=slot, reading=reading) for each in stories]
    frame = Frame(since=slot - _EVER, cutoff_at=slot, most_age_h=int(_EVER.total_seconds() // 3600))
    selection = choose(candidates, rules=rules, frame=frame)
    filled = [_filled(rule, each, stories, selection, reading=reading) for rule, each in zip(rules, asked, strict=True)]
    return Blocks(
        filled=tuple(block for block in filled if block.stories or block.note),
        left_out=tuple(_why(choice, stories) for choice in selection.choices if not choice.picked),
        short=tuple((short.title, short.found, short.minimum) for short in selection.shortfalls),
    )


def _rule(record: dict[str, Any], *, position: int, reading: Reading) -> Rule:
    where = f"block {position}"
    kind = reading.text(record, "kind", where=where) or "section"
    if kind not in KINDS:
        raise UnusableInput(f"{where}: there is no kind {kind[:40]!r}; there is {', '.join(KINDS)}")
    rule = _typed(record.get("rule", {}), where=where)
    try:
        return Rule.of(position=position, kind=kind, title=reading.text(record, "title", where=where), rule=rule)
    except (UnusableRule, TypeError, ValueError) as error:
        raise UnusableInput(str(error) if isinstance(error, UnusableRule) else f"{where}: {error}") from error


def _typed(rule: Any, *, where: str) -> dict[str, Any]:
    """A rule whose every part is of its kind. Raises UnusableInput."""
    if not isinstance(rule, dict):
        raise UnusableInput(f"{where}: its rule should be an object")
    for name, value in rule.items():
        kind, said = _PARTS.get(name, (object, ""))
        values = value if isinstance(value, list) and name in _LISTS else [value]
        if (name in _LISTS) != isinstance(value, list) or not all(_is(each, kind) for each in values):
            raise UnusableInput(f"{where}: {name} should be {said}")
    return rule


def _is(value: Any, kind: type) -> bool:
    """Whether a value is of a kind; numbers count something, so they are neither negative nor astronomical."""
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
    return isinstance(value, kind)


def _candidate(
    story: Story, articles: Sequence[Any], stories: Sequence[Story], *, popular: Sequence[str], slot: datetime,
    reading: Reading,
) -> Candidate:  # fmt: skip
    number = story.article_id or 0
    record, where = articles[number - 1], f"article {number}"
    ids = {each.url: each.article_id or 0 for each in reversed(stories) if each.url}
    seen = min(story.published_at or slot, slot)
    related = reading.texts(record, "related", where=where)
    return Candidate(
        article_id=number,
        headline=story.headline,
        sections=story.section,
        authors=story.authors,
        published_at=seen,
        first_seen_at=seen,
        eligible_at=story.published_at or slot,
        popular_place=popular.index(story.url) + 1 if story.url in popular else None,
        tags=reading.texts(record, "topics", where=where),
        words=len(reading.text(record, "text", where=where).split()),
        related=tuple(ids[url] for url in related if url in ids),
        is_evergreen=record.get("evergreen") is True,
    )


def _filled(
    rule: Rule, record: dict[str, Any], stories: Sequence[Story], selection: Selection, *, reading: Reading
) -> FilledBlock:
    where = f"block {rule.position}"
    ids = {story.article_id: story for story in stories}
    placed = sorted((c.position, c.article_id) for c in selection.choices if c.picked and c.block == rule.position)
    chosen = tuple(ids[article_id] for _, article_id in placed)
    return FilledBlock(
        kind=rule.kind,
        title=rule.title,
        stories=_sponsored(rule) if rule.kind == SPONSOR else chosen,
        note=reading.text(record, "note", where=where) if rule.kind == NOTE else "",
        link=reading.text(record, "link", where=where),
        topic=rule.topic if isinstance(rule.topic, str) else "",
    )


def _sponsored(rule: Rule) -> tuple[Story, ...]:
    """What the order says, where it says something that can be read."""
    order = {k: v for k, v in rule.story.items() if isinstance(v, str)} if isinstance(rule.story, dict) else {}
    if not order.get("headline"):
        return ()
    picture = Picture(url=order["picture"], alt=order.get("alt", "")) if order.get("picture") else None
    return (
        Story(headline=order["headline"], url=order.get("url", ""), standfirst=order.get("text", ""), picture=picture),
    )


def _why(choice: Choice, stories: Sequence[Story]) -> dict[str, Any]:
    headline = next(story.headline for story in stories if story.article_id == choice.article_id)
    return {"article": choice.article_id, "headline": headline, "code": choice.code, "params": dict(choice.params)}


def by_itself(stories: list[Story], settings: dict[str, Any], *, reading: Reading) -> tuple[FilledBlock, ...]:
    """The first story with a picture leads; what shares a section stands together, the rest under "also"."""
    wanted = reading.texts(settings, "popular", where="newsletter")
    popular = [story for url in wanted for story in stories if story.url == url]
    rest = [story for story in stories if story not in popular] or stories
    lead = next((story for story in rest if story.picture), rest[0])
    opinion = [story for story in rest if story is not lead and _OPINION & {part.lower() for part in story.section}]
    news = [story for story in rest if story is not lead and story not in opinion]
    more = settings.get("sections") if isinstance(settings.get("sections"), dict) else {}
    note = reading.text(settings, "note")
    blocks = [
        FilledBlock(kind="lead", stories=(lead,)),
        FilledBlock(kind="note", note=note),
        FilledBlock(kind="top", stories=tuple(news[:_TOP])),
        *_sections(news[_TOP:], links=more or {}),
        FilledBlock(kind="opinion", stories=tuple(opinion)),
        FilledBlock(kind="popular", stories=tuple(popular)),
    ]
    return tuple(block for block in blocks if block.stories or block.note)


def _sections(stories: Iterable[Story], *, links: dict[str, Any]) -> list[FilledBlock]:
    grouped: dict[str, list[Story]] = {}
    for story in stories:
        grouped.setdefault(story.section[-1] if story.section else "", []).append(story)
    single = [story for name, group in grouped.items() if len(group) < 2 or not name for story in group]
    blocks = [
        FilledBlock(kind="section", title=name, stories=tuple(group), link=str(links.get(name) or ""))
        for name, group in grouped.items()
        if len(group) > 1 and name
    ]
    return [*blocks, FilledBlock(kind="section", stories=tuple(single))]
