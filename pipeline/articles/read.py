"""A page's bytes to a Reading: what a journalist would note of the story, each field from the best witness.

Order of witnesses: JSON-LD > Open Graph and article:* > the feed's entry > microdata and theme selectors
(the watching reference 2.3). A bare WordPress page has none of the first two, so the last must do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from pipeline.articles.addresses import normalise
from pipeline.articles.datelines import Dateline
from pipeline.articles.furniture import Related
from pipeline.articles.page import content, fields, pictures
from pipeline.articles.page.markers import Marker
from pipeline.articles.page.pictures import Picture
from pipeline.articles.page.witnesses import Page, Told
from pipeline.articles.raw import metadata
from pipeline.articles.raw.markup import UnusableInput, decode, depth, lower_headers

__all__ = ["Dateline", "Marker", "Picture", "Reading", "Related", "UnusableInput", "read"]

MAX_BYTES = 5_000_000
MAX_TAGS = 80_000
MAX_DEPTH = 300
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body|article|main|div|section|p|h1|title|meta)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A story as its page tells it. Instants are aware UTC; None and empty mean that the page does not say.

    `breadcrumbs` is the section path, outermost first, without Home and the story. `text` is the story's paragraphs
    with a blank line between them, its dateline included, furniture and captions left out.
    """

    title: str | None = None
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    modified: datetime | None = None
    site_name: str | None = None
    section: str | None = None
    breadcrumbs: tuple[str, ...] = ()
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
    html: bytes,
    *,
    url: str | None,
    headers: Mapping[str, str] | None = None,
    entry: Told | None = None,
    zone: tzinfo = UTC,
) -> Reading:
    """The story on a page. `url` is the final address, `zone` the source's for dates that name none.

    Raises UnusableInput, and nothing else, for what is no page or costs too much; every missing field is a None.
    """
    lower = lower_headers(headers)
    tree, warnings = _tree(html, lower.get("content-type", ""))
    said = metadata.find(tree, url=url)
    page = Page(tree, said, entry, url, lower, zone)
    return _reading(page, [*warnings, *said.warnings])


def _tree(data: bytes, content_type: str) -> tuple[HtmlElement, tuple[str, ...]]:
    if len(data) > MAX_BYTES:
        raise UnusableInput(f"too large for a page: {len(data):,} bytes, the limit is {MAX_BYTES:,}")
    text, warnings = decode(data, content_type=content_type)
    if not _PAGE.search(text[:200_000]):
        raise UnusableInput(
            "this is not a web page: it has no HTML in it" if text.strip() else "empty: no bytes of a page"
        )
    if text.count("<") > MAX_TAGS or depth(text, stop_at=MAX_DEPTH) >= MAX_DEPTH:
        raise UnusableInput("not readable as a page: more or deeper markup than any story needs")
    try:
        tree = document_fromstring(
            text.encode("utf-8", "replace"), parser=HTMLParser(encoding="utf-8", remove_pis=True)
        )
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise UnusableInput(f"not readable as a page: {' '.join(str(error).split())[:200]}") from error
    return tree, warnings


def _reading(page: Page, warnings: list[str]) -> Reading:
    title = fields.title(page)
    published = fields.published(page)
    crumbs = fields.breadcrumbs(page, title)
    blocks, related, first = content.story(page.tree, base=page.url)
    if not blocks and (body := page.said.text("articleBody")):
        blocks, warnings = [body], [*warnings, "text taken from JSON-LD: the page shows none"]
    found = fields.dateline(page, blocks, first, published)
    return Reading(
        title=title or None,
        authors=fields.authors(page),
        published=published,
        modified=fields.modified(page),
        site_name=fields.site_name(page),
        section=fields.section(page, crumbs),
        breadcrumbs=crumbs,
        image=pictures.find(page.tree, page.said, base=page.url, told=page.entry.image if page.entry else None),
        language=fields.language(page, blocks),
        canonical=fields.canonical(page),
        dateline=found,
        standfirst=fields.standfirst(page, blocks, found, title),
        text="\n\n".join(blocks),
        related=tuple(link for link in related if not page.url or normalise(link.url) != normalise(page.url)),
        paywalled=fields.paywalled(page),
        markers=fields.markers(page, title, blocks),
        warnings=tuple(dict.fromkeys([*warnings, *(["no text of a story was found"] if not blocks else [])])),
    )
