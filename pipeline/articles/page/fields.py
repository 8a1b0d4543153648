"""Each field of a story from the best of its witnesses.

Order: JSON-LD > Open Graph and article:* > the feed's entry > microdata and theme selectors. A bare
WordPress page has none of the first two, so the last must do.
"""

from __future__ import annotations

import re
from datetime import datetime

from lxml import etree
from lxml.html import HtmlElement

from pipeline.articles import datelines, furniture
from pipeline.articles.addresses import is_home, normalise, same_site
from pipeline.articles.datelines import Dateline
from pipeline.articles.page.markers import Marker, marker_of
from pipeline.articles.page.markers import markers as declared
from pipeline.articles.page.witnesses import Page
from pipeline.articles.raw import metadata
from pipeline.articles.raw.markup import absolute, plain

STANDFIRST_CHARS = 500

_SUFFIX = re.compile(r"\s+(?:[-|–—·»:•])\s+[^-|–—·»]{2,60}$")
_CUT = re.compile(r"\s*(?:\[(?:…|\.\.\.|&hellip;)\]|…|\.\.\.)\s*(?:(?:read|continue|en savoir)\b.*)?$", re.IGNORECASE)
_SCRIPT_LANGUAGES = (("ur", "ٹڈڑںےہ"), ("fa", "پچژگ"), ("ar", "ةىأإ"), ("he", "אבגדה"))


def title(page: Page) -> str:
    """JSON-LD may hold a headline cut at 110 characters; the page's own is then the whole one."""
    heading = page.pick(
        "//h1[contains(@class, 'entry-title') or contains(@class, 'title') or @itemprop='headline']",
        "//article//h1",
        "//h1",
    )
    told = page.said.text("headline")
    if told and heading.startswith(told.rstrip(".… ")) and len(heading) > len(told):
        return heading[:500]
    shared = _without_site(page.first("og:title", "twitter:title"), page, heading)
    return (
        told
        or shared
        or (page.entry.title if page.entry else "")
        or heading
        or _without_site(page.pick("//title"), page, heading, conventional=True)
    )[:500]


def _without_site(title: str, page: Page, heading: str, *, conventional: bool = False) -> str:
    """Without ` - The Site`, when the site says its name, the heading is the rest, or convention puts it there."""
    bare = _SUFFIX.sub("", title)
    site = page.first("og:site_name").casefold()
    suffix = title[len(bare) :].casefold()
    known = bare == heading or bool(site and site in suffix) or (conventional and not heading and len(bare) > 15)
    return bare if bare and known else title


def published(page: Page) -> datetime | None:
    """When the story says it appeared, to the second where any witness knows it."""
    return page.when(page.said.text("datePublished"), page.first("article:published_time")) or _told_date(page)


def modified(page: Page) -> datetime | None:
    """When it was last changed; bulk edits move this without changing a word."""
    told = (page.said.text("dateModified"), page.first("article:modified_time", "og:updated_time"))
    return page.when(*told) or _updated(page)


def site_name(page: Page) -> str | None:
    """The newsroom's name."""
    publisher = next(iter(metadata.listed(page.said.article.get("publisher"))), None)
    return (
        page.said.name_of(publisher)
        or page.first("og:site_name")
        or page.said.name_of(page.said.of_type("WebSite"))
        or None
    )


def section(page: Page, crumbs: tuple[str, ...]) -> str | None:
    """The deepest section of the path, else what the page or the feed calls it."""
    told = page.said.text("articleSection") or page.first("article:section")
    return (crumbs[-1] if crumbs else "") or told or _told_section(page)


def _told_date(page: Page) -> datetime | None:
    if page.entry and page.entry.published:
        return page.entry.published
    micro = ("//*[@itemprop='datePublished']/@content", "//*[@itemprop='datePublished']/@datetime")
    theme = (
        "//time[contains(@class, 'published') or contains(@class, 'entry-date')]/@datetime",
        "//article//time/@datetime",
    )
    names = (
        "date",
        "pubdate",
        "publishdate",
        "dc.date.issued",
        "dc.date",
        "dcterms.created",
        "parsely-pub-date",
        "sailthru.date",
    )
    return page.when(
        page.said.of_type("WebPage").get("datePublished") or "",
        page.pick(*micro),
        page.first(*names),
        page.pick(*theme),
    ) or page.when(
        page.pick("//time/@datetime", "//*[contains(@class, 'entry-date') or contains(@class, 'post-date')]")
    )


def _updated(page: Page) -> datetime | None:
    if page.entry and page.entry.updated:
        return page.entry.updated
    return page.when(
        page.said.of_type("WebPage").get("dateModified") or "",
        page.pick("//time[contains(@class, 'updated')]/@datetime"),
    )


def authors(page: Page) -> tuple[str, ...]:
    """Persons only: a desk or `admin` is no author, and then the next witness is asked."""
    meta = page.first("article:author", "author", "dc.creator", "parsely-author", "sailthru.author")
    theme = page.pick(
        "//*[@rel='author']",
        "//*[contains(@class, 'td-post-author-name')]//a",
        "//*[contains(concat(' ', @class, ' '), ' author ')]//a",
        "//*[contains(@class, 'byline')]",
    )
    witnesses = (
        page.said.people("author"),
        [meta] if "://" not in meta else [],
        [page.entry.author or ""] if page.entry else [],
        [theme],
    )  # fmt: skip
    for texts in witnesses:
        names = tuple(dict.fromkeys(name for text in texts for name in furniture.bylines(text)))
        if names:
            return names
    return ()


def breadcrumbs(page: Page, title: str) -> tuple[str, ...]:
    items = metadata.listed(page.said.of_type("BreadcrumbList").get("itemListElement"))
    items = sorted((item for item in items if isinstance(item, dict)), key=_position)
    names = [page.said.name_of(item) or page.said.name_of(item.get("item")) for item in items]
    return furniture.section_path(names, title=title) or furniture.breadcrumbs(page.tree, title=title)


def _position(item: dict[str, object]) -> float:
    try:
        return float(str(item.get("position", 99)))
    except ValueError:
        return 99.0


def _told_section(page: Page) -> str | None:
    theme = page.pick(
        "//a[@rel='category tag']",
        "//*[contains(@class, 'cat-links')]//a",
        "//*[contains(@class, 'td-post-category')]",
    )
    return theme or (page.entry.categories[0] if page.entry and page.entry.categories else None)


def language(page: Page, blocks: list[str]) -> str | None:
    told = (
        page.said.text("inLanguage")
        or page.pick("//html/@lang", "//html/@xml:lang")
        or page.first("og:locale")
        or page.headers.get("content-language", "")
    )
    told = told.split(",")[0].strip().replace("_", "-")
    if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", told):
        return told
    sample = " ".join(blocks)[:3000]
    return next(
        (
            code
            for code, letters in _SCRIPT_LANGUAGES
            if sum(sample.count(letter) for letter in letters) > len(sample) / 100
        ),
        None,
    )


def canonical(page: Page) -> str | None:
    """The page's own claim, unless it points to another site or to the front page, a classic theme fault."""
    claims = (page.pick("//link[@rel='canonical']/@href"), page.first("og:url"))
    for claim in claims:
        address = absolute(claim, base=page.url) if claim else None
        if address and (
            page.url is None or (same_site(address, page.url) and (not is_home(address) or is_home(page.url)))
        ):
            return normalise(address)
    return normalise(page.url) if page.url else None


def dateline(page: Page, blocks: list[str], first: HtmlElement | None, published: datetime | None) -> Dateline | None:
    near = published.date() if published else None
    html = etree.tostring(first, encoding="unicode")[:2000] if first is not None else None
    for number, block in enumerate(blocks[:3]):
        found = datelines.find(
            block,
            html=html if number == 0 or (first is not None and furniture.text_of(first) == block) else None,
            near=near,
        )
        if found:
            return found
    told = page.said.text("dateline")
    return datelines.find(f"{told} — ", strong=True, near=near) if told else None


def markers(page: Page, title: str, blocks: list[str]) -> tuple[Marker, ...]:
    """What headline, standfirst, paragraphs and JSON-LD declare."""
    told = [
        Marker("correction", text[:1000])
        for text in map(metadata.words, metadata.listed(page.said.article.get("correction")))
        if text
    ]
    heading = marker_of(title)
    return tuple(dict.fromkeys([*([heading] if heading else []), *declared(blocks), *told]))


def standfirst(page: Page, blocks: list[str], found: Dateline | None, title: str) -> str | None:
    """The editor's own sentence; an excerpt cut off by the CMS gives way to the first paragraph it was cut from."""
    theme = page.pick(
        "//*[contains(@class, 'td-post-sub-title')]",
        "//*[contains(concat(' ', @class, ' '), ' standfirst ')]",
        "//*[contains(@class, 'article-subtitle') or contains(@class, 'entry-subtitle') or contains(@class, 'article__standfirst')]",
    )
    told = (
        theme,
        page.said.text("alternativeHeadline"),
        page.said.text("description"),
        page.first("og:description", "description", "twitter:description"),
        (page.entry.summary or "") if page.entry else "",
    )
    for text in map(plain, told):
        if text and text != title:
            return (_whole(text, blocks, found) if _CUT.search(text) else text)[:STANDFIRST_CHARS]
    return None


def _whole(text: str, blocks: list[str], found: Dateline | None) -> str:
    start = _CUT.sub("", text)
    first = next((block for block in blocks[:2] if block.startswith(start[:40])), "")
    if not first:
        return start
    return found.rest if found and found.rest and first.endswith(found.rest) else first


def paywalled(page: Page) -> bool:
    free = page.said.article.get("isAccessibleForFree")
    if free is None:
        free = page.said.of_type("WebPage").get("isAccessibleForFree")
    if str(free).strip().rsplit("/", 1)[-1].casefold() in {"false", "no", "0"}:
        return True
    if page.first("article:content_tier").casefold() in {"metered", "locked"}:
        return True
    return bool(page.tree.xpath("boolean(//*[contains(concat(' ', @class, ' '), ' paywall ') or @id='paywall'])"))
