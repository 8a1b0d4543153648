"""A page's bytes to a Reading: what a journalist would note of the story, each field from the best witness.

Order of witnesses: a whole entry (REST, a connector) > JSON-LD > Open Graph and article:* > the feed's entry >
microdata and theme selectors (the watching reference 2.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from pipeline.articles.addresses import normalise
from pipeline.articles.datelines import Dateline
from pipeline.articles.furniture import Related
from pipeline.articles.page import content, fields, pictures, sections
from pipeline.articles.page.content import Story
from pipeline.articles.page.language import language
from pipeline.articles.page.markers import Marker
from pipeline.articles.page.pictures import Picture
from pipeline.articles.page.witnesses import Page, Step, Told
from pipeline.articles.raw import metadata
from pipeline.articles.raw.markup import UnusableInput, decode, lower_headers
from pipeline.articles.raw.trees import fragment_tree, page_tree

__all__ = ["Dateline", "Marker", "Picture", "Reading", "Related", "Step", "UnusableInput", "read", "read_entry"]

MAX_BYTES = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A story as its page tells it. Instants are aware UTC; None and empty mean that the page does not say.

    `breadcrumbs` is the section path, outermost first, without Home and the story; `sections` is the same path with
    the site's own keys, or the one section of a page that shows no path. `text` is the story's paragraphs with a
    blank line between them, its dateline included, furniture and captions left out.
    """

    title: str | None = None
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    modified: datetime | None = None
    site_name: str | None = None
    section: str | None = None
    breadcrumbs: tuple[str, ...] = ()
    sections: tuple[Step, ...] = ()
    image: Picture | None = None
    language: str | None = None
    canonical: str | None = None
    dateline: Dateline | None = None
    standfirst: str | None = None
    text: str = ""
    related: tuple[Related, ...] = ()
    paywalled: bool = False
    markers: tuple[Marker, ...] = ()
    warnings: tuple[str, ...] = ()


def read(
    html: bytes | None,
    *,
    url: str | None,
    headers: Mapping[str, str] | None = None,
    entry: Told | None = None,
    zone: tzinfo = UTC,
) -> Reading:
    """The story on a page. `url` is the final address, `zone` the source's for dates that name none.

    `entry` is what a channel told of it; without `html` that is all there is. Raises UnusableInput, and nothing else,
    for what is no page or costs too much; every missing field is a None.
    """
    if html is None:
        if entry is None:
            raise UnusableInput("nothing to read: neither a page nor an entry")
        return read_entry(entry, url=url, zone=zone)
    if len(html) > MAX_BYTES:
        raise UnusableInput(f"too large for a page: {len(html):,} bytes, the limit is {MAX_BYTES:,}")
    lower = lower_headers(headers)
    text, warnings = decode(html, content_type=lower.get("content-type", ""))
    tree = page_tree(text)
    said = metadata.find(tree, url=url)
    return _reading(Page(tree, said, entry, url, lower, zone), [*warnings, *said.warnings])


def read_entry(entry: Told, *, url: str | None, zone: tzinfo = UTC) -> Reading:
    """The story as a channel told it, no page needed. `url` is where it is published."""
    return _reading(Page(fragment_tree(""), metadata.Metadata(), entry, url, {}, zone), [])


def _reading(page: Page, warnings: list[str]) -> Reading:
    title = fields.title(page)
    published = fields.published(page)
    path = sections.path(page, title=title)
    single = None if path else sections.single(page)
    story, said = _story(page, title)
    found = fields.dateline(page, story.blocks, story.first, published)
    standfirst = fields.standfirst(page, story.blocks, found, title)
    text = "\n\n".join(story.blocks)
    return Reading(
        title=title or None,
        authors=fields.authors(page),
        published=published,
        modified=fields.modified(page),
        site_name=fields.site_name(page),
        section=path[-1].name if path else single.name if single else None,
        breadcrumbs=tuple(step.name for step in path),
        sections=path or ((single,) if single else ()),
        image=pictures.find(page),
        language=language(page, text or title),
        canonical=fields.canonical(page),
        dateline=found,
        standfirst=standfirst,
        text=text,
        related=tuple(link for link in story.related if not page.url or normalise(link.url) != normalise(page.url)),
        paywalled=fields.paywalled(page),
        markers=fields.markers(page, title=title, standfirst=standfirst or "", blocks=story.blocks),
        warnings=tuple(dict.fromkeys([*warnings, *said])),
    )


def _story(page: Page, title: str) -> tuple[Story, list[str]]:
    """The story from the best that shows it, without a first line that repeats the headline; and what to warn of."""
    told = page.entry.content_html if page.entry else None
    if page.whole and told and (story := content.from_markup(told, base=page.url)).blocks:
        return _without_headline(story, title), []
    story = content.story(page.tree, base=page.url)
    if story.blocks:
        return _without_headline(story, title), []
    if (body := content.from_words(page.said.article.get("articleBody"), base=page.url)).blocks:
        return _without_headline(body, title), ["text taken from JSON-LD: the page shows none"]
    if told and (story := content.from_markup(told, base=page.url)).blocks:
        return _without_headline(story, title), []
    return Story(), ["no text of a story was found"]


def _without_headline(story: Story, title: str) -> Story:
    if title and len(story.blocks) > 1 and story.blocks[0].casefold() == title.casefold():
        return replace(story, blocks=story.blocks[1:])
    return story
