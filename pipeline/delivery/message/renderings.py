"""An edition's frozen rendering, and the same without the stories some of its readers had before."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from functools import lru_cache

from jinja2 import TemplateError

from pipeline.editions.assemble import content_of, rendering_of
from pipeline.editions.content import EditionContent, FilledBlock, Story
from pipeline.editions.models import Edition
from pipeline.editions.render import UnusableTemplate
from pipeline.editions.rendered import ClosedTable, Link, Rendered, UnknownLink

log = logging.getLogger("dateline.delivery")

#: A masthead may hold anything a form let through; what is no language renders, and is announced, as English.
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
#: Blocks that are no news: nobody is spared a letter for them, nobody is sent one for them alone.
NO_NEWS = frozenset({"popular", "sponsor", "note"})


def frozen(edition: Edition) -> Rendered:
    """The edition's stored rendering as the merge takes it."""
    row, masthead = edition.rendering, edition.newsletter.masthead
    language = masthead.get("language") or ""
    return Rendered(
        subject=row.subject,
        preheader=row.preheader,
        html=row.html,
        text=row.text,
        links=tuple(Link(**link) for link in row.links),
        language=language if LANGUAGE.fullmatch(language) else "en",
        direction="rtl" if masthead.get("direction") == "rtl" else "ltr",
    )


def approved(edition: Edition) -> EditionContent | None:
    """What the edition says, if it can still be said: rendered again it must give the stored bytes.

    An article corrected since, a template or a masthead changed since would make another letter than the one that
    was approved; then nothing is left out for anybody, and the log says so.
    """
    return _approved(edition.id, edition.rendering.revision)


def without(edition: Edition, left_out: frozenset[int]) -> Rendered:
    """The rendering without these articles, its links numbered as the edition's; the edition's own if that fails."""
    content = approved(edition) if left_out else None
    if content is None:
        return frozen(edition)
    shorter = shortened(content, left_out=left_out, edited=edition.edited)
    return _again(edition, shorter, links=frozen(edition).links) or frozen(edition)


def shortened(content: EditionContent, *, left_out: frozenset[int], edited: bool) -> EditionContent:
    """The content without these articles; blocks keep their positions, emptied ones are not set.

    Subject and preheader stay an editor's while the lead does; else they are made of what is left, as composing does.
    """
    blocks = tuple(_less(block, left_out) for block in content.blocks)
    left = [story for block in blocks for story in block.stories]
    if not left or (edited and left[0] == content.stories()[0]):
        return replace(content, blocks=blocks)
    preheader = " · ".join(story.headline for story in left[1:3])
    return replace(content, blocks=blocks, subject=left[0].headline, preheader=preheader)


def holds_news(content: EditionContent, *, left_out: frozenset[int], blocks: tuple[int, ...] | None) -> bool:
    """Whether a reader of these blocks gets any story they had not."""
    return any(
        not _had(story, left_out)
        for position, block in enumerate(content.blocks, start=1)
        if block.kind not in NO_NEWS and (blocks is None or position in blocks)
        for story in block.stories
    )


def _less(block: FilledBlock, left_out: frozenset[int]) -> FilledBlock:
    if block.kind in NO_NEWS:
        return block
    return replace(block, stories=tuple(story for story in block.stories if not _had(story, left_out)))


def _had(story: Story, left_out: frozenset[int]) -> bool:
    return story.article_id in left_out


@lru_cache(maxsize=4)
def _approved(edition_id: int, revision: int) -> EditionContent | None:
    edition = Edition.objects.select_related("rendering", "newsletter").get(id=edition_id)
    content, stored = content_of(edition), frozen(edition)
    again = _again(edition, content, links=stored.links) if edition.rendering.revision == revision else None
    if again is not None and (again.html, again.text) == (stored.html, stored.text):
        return content
    log.warning("edition %s: changed since it was approved, so no story is left out for anybody", edition_id)
    return None


def _again(edition: Edition, content: EditionContent, *, links: tuple[Link, ...]) -> Rendered | None:
    try:
        return rendering_of(edition.newsletter, content, origin_links=ClosedTable(links))
    except (UnknownLink, UnusableTemplate, TemplateError) as error:
        log.warning("an edition that left cannot be rendered again: %s", error)
        return None
