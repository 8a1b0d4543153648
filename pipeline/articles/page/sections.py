"""The section path of a story, each step under the site's own key.

Order (the watching reference 6): a whole entry > BreadcrumbList > the crumbs a theme shows > article:section and
category links > the feed's categories, which mix sections and tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs, unquote, urlsplit

from lxml.html import HtmlElement

from pipeline.articles.addresses import comparable
from pipeline.articles.page.witnesses import Page, Step
from pipeline.articles.raw import metadata
from pipeline.articles.raw.markup import absolute
from pipeline.articles.raw.trees import text_of

MAX_STEPS = 8
NAME_CHARS = 120

_SEPARATORS = re.compile(r"\s{0,20}(?:»|›|>|/|\||→|::)\s{0,20}")
_HOME = frozenset(
    """
    home|homepage|home page|front page|news home|start|accueil|startseite|inicio|início|beranda|anasayfa|ana sayfa
    |главная|الرئيسية|صفحۂ اول|ہوم|خانه|होम|ホーム|トップ|首页|首頁|홈|you are here|you are here:
    """.strip()
    .replace("\n    ", "")
    .split("|")
)
_HOLDERS = (
    "//*[contains(concat(' ', @class, ' '), ' td-crumb-container ') or contains(@class, 'tdb-breadcrumbs')]",
    "//*[contains(@class, 'yoast-breadcrumb') or @id='breadcrumbs' or contains(@class, 'rank-math-breadcrumb')]",
    "//nav[contains(@aria-label, 'readcrumb')]",
    "//*[contains(concat(' ', @class, ' '), ' breadcrumb ') or contains(concat(' ', @class, ' '), ' breadcrumbs ')]",
    "//*[contains(@class, 'breadcrumb')]",
)
_CATEGORY_LINKS = (
    "//a[contains(concat(' ', @rel, ' '), ' category ')]",
    "//a[ancestor::*[contains(@class, 'cat-links')]]",
    "//a[ancestor-or-self::*[contains(@class, 'td-post-category')]]",
    "//a[ancestor::*[contains(@class, 'taxonomy-category')]]",
    "//a[contains(@class, 'category')][ancestor::article]",
)


def path(page: Page, *, title: str) -> tuple[Step, ...]:
    """The section path, outermost first, without Home and the story; empty where nobody shows one."""
    if page.whole and page.whole.sections:
        return told_path(page)
    listed = steps(_listed_crumbs(page), title=title, url=page.url)
    return listed or shown_path(page.tree, title=title, url=page.url) or told_path(page)


def told_path(page: Page) -> tuple[Step, ...]:
    """What a channel told, in our own words."""
    rungs = page.entry.sections[:MAX_STEPS] if page.entry else ()
    return tuple(Step(name=rung.name, slug=rung.slug or slug_of(rung.name), term_id=rung.term_id) for rung in rungs)


def single(page: Page) -> Step | None:
    """The section of a page without a path: what it or the feed calls it."""
    name = page.said.text("articleSection") or page.first("article:section")
    links = [link for xpath in _CATEGORY_LINKS for link in page.tree.xpath(xpath)[:3] if text_of(link)]
    if name:
        href = next((link.get("href") for link in links if text_of(link).casefold() == name.casefold()), None)
        return _step(name, href)
    if links:
        return _step(text_of(links[0]), links[0].get("href"))
    label = page.pick("//*[contains(@class, 'td-post-category')]")
    return _step(label or (page.entry.categories[0] if page.entry and page.entry.categories else ""), None)


def steps(items: Iterable[tuple[str, str | None]], *, title: str = "", url: str | None = None) -> tuple[Step, ...]:
    """Crumbs (label and link) as a path of sections: no Home, no separators, no story."""
    own = title.casefold().rstrip(".… ")
    here = comparable(url) if url else ""
    found: dict[str, Step] = {}
    for label, link in items:
        name = (_SEPARATORS.sub("", label) if len(label) < 3 else label).strip(" »›>/|→\u00a0")
        if not name or name.casefold() in _HOME or (own and _is_title(name, own)):
            continue
        if here and link and comparable(absolute(link, base=url) or "") == here:
            continue
        if (step := _step(name, link)) and len(found) < MAX_STEPS:
            found.setdefault(step.name, step)
    return tuple(found.values())


def shown_path(tree: HtmlElement, *, title: str = "", url: str | None = None) -> tuple[Step, ...]:
    """The section path as the page shows it."""
    for holder in [found for xpath in _HOLDERS for found in tree.xpath(xpath)[:3]]:
        if crumbs := steps(_crumbs(holder), title=title, url=url):
            return crumbs
    return ()


def slug_of(name: str) -> str:
    """A key for a section whose own is not known."""
    return "-".join(re.findall(r"[^\W_]+", name.casefold()))[:NAME_CHARS]


def _crumbs(holder: HtmlElement) -> Sequence[tuple[str, str | None]]:
    links = holder.xpath(".//a")[:20]
    if links:
        return [(text_of(link), link.get("href")) for link in links]
    items = [text_of(item) for item in holder.xpath(".//li")[:20]] or _SEPARATORS.split(text_of(holder)[:1000])
    return [(item, None) for item in items]


def _listed_crumbs(page: Page) -> list[tuple[str, str | None]]:
    items = metadata.listed(page.said.of_type("BreadcrumbList").get("itemListElement"))
    ordered = sorted((item for item in items if isinstance(item, dict)), key=_position)
    return [(page.said.name_of(item) or page.said.name_of(item.get("item")), _item_link(item)) for item in ordered]


def _item_link(item: dict[str, object]) -> str | None:
    inner = item.get("item")
    found = (inner.get("@id") or inner.get("url")) if isinstance(inner, dict) else inner
    return found if isinstance(found, str) else None


def _position(item: dict[str, object]) -> float:
    try:
        return float(str(item.get("position", 99))[:20])
    except ValueError:
        return 99.0


def _step(name: str, link: str | None) -> Step | None:
    name = name.strip()[:NAME_CHARS]
    if not name:
        return None
    slug, term_id = _own_key(link or "")
    return Step(name=name, slug=slug or slug_of(name), term_id=term_id)


def _own_key(link: str) -> tuple[str, int | None]:
    """The last part of a section's address; of a plain-permalink site its term number (`/?cat=7`)."""
    try:
        parts = urlsplit(link.strip()[:2000])
    except ValueError:
        return "", None
    number = parse_qs(parts.query).get("cat", [""])[0]
    term_id = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
    last = unquote(parts.path.rstrip("/").rsplit("/", 1)[-1])
    slug = re.sub(r"\.(?:html?|php|aspx?)$", "", last, flags=re.IGNORECASE).casefold()
    is_key = bool(re.fullmatch(r"[\w\-.%~]{1,120}", slug)) and slug not in {"index", "category", "section"}
    return (slug if is_key else ""), term_id


def _is_title(item: str, own: str) -> bool:
    bare = item.casefold().rstrip(".… ")
    return bare == own or (len(bare) > 25 and own.startswith(bare))
