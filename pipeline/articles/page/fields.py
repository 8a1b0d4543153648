"""Each field of a story from the best of its witnesses.

Order: a whole entry (REST, a connector) > JSON-LD > Open Graph and article:* > the feed's entry > microdata and
theme selectors. A bare WordPress page has neither JSON-LD nor Open Graph, so the last must do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from lxml import etree
from lxml.html import HtmlElement

from pipeline.articles import datelines
from pipeline.articles.addresses import is_home, normalise, same_site
from pipeline.articles.datelines import Dateline
from pipeline.articles.page.bylines import bylines
from pipeline.articles.page.markers import Marker, marker_of
from pipeline.articles.page.markers import markers as declared
from pipeline.articles.page.witnesses import Page
from pipeline.articles.raw import metadata
from pipeline.articles.raw.markup import absolute, plain
from pipeline.articles.raw.trees import text_of

STANDFIRST_CHARS = 500

_SUFFIX = re.compile(r"\s+(?:[-|–—·»:•])\s+[^-|–—·»]{2,60}$")
_CUT = re.compile(r"\s*(?:\[(?:…|\.\.\.|&hellip;)\]|…|\.\.\.)\s*(?:(?:read|continue|en savoir)\b.*)?$", re.IGNORECASE)
_NO_SITE = "[not(contains(@class, 'site-') or contains(@class, 'logo') or contains(@class, 'widget'))]"


def title(page: Page) -> str:
    """JSON-LD may hold a headline cut at 110 characters; the page's own is then the whole one."""
    if page.whole and page.whole.title:
        return page.whole.title[:500]
    heading = page.pick(
        f"//h1[contains(@class, 'entry-title') or contains(@class, 'title') or @itemprop='headline']{_NO_SITE}",
        "//*[contains(concat(' ', @class, ' '), ' entry-title ')][self::h2 or self::h3]",
        f"//h1[ancestor::article]{_NO_SITE}",
        f"//h1{_NO_SITE}",
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
    if page.whole and page.whole.published:
        return page.whole.published
    return page.when(page.said.text("datePublished"), page.first("article:published_time")) or _told_date(page)


def modified(page: Page) -> datetime | None:
    """When it was last changed; bulk edits move this without changing a word."""
    if page.whole and page.whole.updated:
        return page.whole.updated
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


def _told_date(page: Page) -> datetime | None:
    if page.entry and page.entry.published:
        return page.entry.published
    micro = ("//*[@itemprop='datePublished']/@content", "//*[@itemprop='datePublished']/@datetime")
    theme = (
        "//time[contains(@class, 'published') or contains(@class, 'entry-date')]/@datetime",
        "//time[ancestor::article]/@datetime",
    )
    names = (
        "date",
        "pubdate",
        "publishdate",
        "dc.date.issued",
        "dc.date",
        "dcterms.created",
        "dcterms.date",
        "dcterms.issued",
        "publish-date",
        "publication_date",
        "citation_date",
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
        [page.whole.author or ""] if page.whole else [],
        page.said.people("author"),
        [meta] if "://" not in meta else [],
        [page.entry.author or ""] if page.entry else [],
        [theme],
    )  # fmt: skip
    for texts in witnesses:
        names = tuple(dict.fromkeys(name for text in texts for name in bylines(text)))
        if names:
            return names
    return ()


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


def dateline(
    page: Page, blocks: Sequence[str], first: HtmlElement | None, published: datetime | None
) -> Dateline | None:
    near = published.date() if published else None
    html = etree.tostring(first, encoding="unicode", with_tail=False)[:2000] if first is not None else None
    for number, block in enumerate(blocks[:3]):
        found = datelines.find(
            block,
            html=html if number == 0 or (first is not None and text_of(first) == block) else None,
            near=near,
        )
        if found:
            return found
    told = (page.said.text("dateline"), page.pick("//*[contains(concat(' ', @class, ' '), ' dateline ')]")[:120])
    heads = (text.rstrip(" .:—–-|") for text in told if text)
    return next((found for head in heads if (found := datelines.find(f"{head} — ", strong=True, near=near))), None)


def markers(page: Page, *, title: str, standfirst: str, blocks: Sequence[str]) -> tuple[Marker, ...]:
    """What headline, paragraphs and JSON-LD declare, and the standfirst where these say nothing of its kind."""
    corrections = map(metadata.words, metadata.listed(page.said.article.get("correction")))
    told = [Marker("correction", text[:1000]) for text in corrections if text]
    heading = marker_of(title)
    found = [*([heading] if heading else []), *declared(blocks), *told]
    if (above := marker_of(standfirst)) and above.kind not in {marker.kind for marker in found}:
        found.append(above)
    return tuple(dict.fromkeys(found))


def standfirst(page: Page, blocks: Sequence[str], found: Dateline | None, title: str) -> str | None:
    """The editor's own sentence; an excerpt cut off by the CMS gives way to the first paragraph it was cut from."""
    theme = page.pick(
        "//*[contains(@class, 'td-post-sub-title')]",
        "//*[contains(concat(' ', @class, ' '), ' standfirst ')]",
        "//*[contains(@class, 'article-subtitle') or contains(@class, 'entry-subtitle') or contains(@class, 'article__standfirst')]",
    )
    excerpt = page.whole.summary or "" if page.whole else ""
    told = (
        theme,
        "" if _CUT.search(excerpt) else excerpt,
        page.said.text("alternativeHeadline"),
        page.said.text("description"),
        page.first("og:description", "description", "twitter:description"),
        (page.entry.summary or "") if page.entry else "",
    )
    for text in map(plain, told):
        if text and text != title:
            return (_whole(text, blocks, found) if _CUT.search(text) else text)[:STANDFIRST_CHARS]
    return None


def _whole(text: str, blocks: Sequence[str], found: Dateline | None) -> str:
    start = _CUT.sub("", text)
    first = next((block for block in blocks[:2] if block.startswith(start[:40])), "")
    if not first:
        return start
    return found.rest if found and found.rest and first.endswith(found.rest) else first


def paywalled(page: Page) -> bool:
    """Does any witness say that the story is not for everybody?"""
    if page.entry and page.entry.is_paywalled:
        return True
    nodes = (page.said.article, page.said.of_type("WebPage"), *metadata.listed(page.said.article.get("hasPart")))
    free = next(
        (told for node in nodes if isinstance(node, dict) and (told := node.get("isAccessibleForFree")) is not None),
        None,
    )
    if free is not None and metadata.words(str(free)).rsplit("/", 1)[-1].casefold() in {"false", "no", "0"}:
        return True
    if page.first("article:content_tier").casefold() in {"metered", "locked"}:
        return True
    return bool(page.tree.xpath("boolean(//*[contains(concat(' ', @class, ' '), ' paywall ') or @id='paywall'])"))
