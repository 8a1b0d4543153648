"""The picture of a story, with its words and whose it is. A picture that may be shown is not thereby licensed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from pipeline.articles.page.witnesses import Page, Told
from pipeline.articles.raw.markup import absolute
from pipeline.articles.raw.metadata import Metadata, listed, words
from pipeline.articles.raw.trees import says

_CREDIT = re.compile(
    r"(?:\b(?:photo|picture|image|photograph|illustration|credit|source|file photo|foto|bild|crédit photo|صورة|تصوير|رسم|فوٹو)s?(?:\s+(?:credit|courtesy|by|of))?\s*[:：©-]\s*|©\s*)(.{2,100}?)\s*[)\].]*\s*$",
    re.IGNORECASE,
)
_AGENCY_CREDIT = re.compile(
    r"[(\[/|–—-]\s*((?:[^()\[\]/|]{2,60}/)?(?:AFP|Reuters|REUTERS|Getty(?: Images)?|AP(?: Photo)?|EPA(?:-EFE)?|dpa|Anadolu|Xinhua|APP|PTI|ANI)(?:[^()\[\]|]{0,60})?)\s*[)\]]?\s*$"
)
_SIGNED = re.compile(r"\(([^\W\d_][^()/]{1,40}(?:/| via | for )[^()/]{2,60})\)\s*$")
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-img-url", "data-url")
_STAND_IN = re.compile(
    r"(?:placeholder|blank|spacer|lazy|loading|1x1|pixel)[\w.-]*\.(?:gif|png|svg|jpe?g|webp)$", re.IGNORECASE
)
_SIZE = re.compile(r"-\d{2,4}x\d{2,4}(?=\.\w+$)|-scaled(?=\.\w+$)")


@dataclass(frozen=True, slots=True)
class Picture:
    """An address and what the page says of it: `alt` for those who cannot see it, `caption`, and the `credit` due."""

    url: str
    alt: str | None = None
    credit: str | None = None
    caption: str | None = None


def find(page: Page) -> Picture | None:
    """The story's picture: a whole entry's, JSON-LD, og:image, the feed's, or the first in a figure of the story."""
    said, base, entry = page.said, page.url, page.entry
    if page.whole and page.whole.image:
        return _told(page.whole, page)
    node = _node(said)
    address = _address(node, base) or absolute(
        said.meta.get("og:image") or said.meta.get("og:image:url") or said.meta.get("twitter:image") or "", base=base
    )
    if not address and entry and entry.image:
        return _told(entry, page)
    element = _element(page.tree, address, base)
    if address is None and element is not None:
        address = absolute(_source(element), base=base)
    if not address:
        return None
    caption = words(node.get("caption")) or _caption(element)
    credit = (
        words(node.get("creditText"))
        or words(node.get("copyrightNotice"))
        or _credit_element(element)
        or credit_of(caption)
    )
    alt = said.meta.get("og:image:alt") or (" ".join((element.get("alt") or "").split()) if element is not None else "")
    return Picture(address, alt[:500] or None, credit[:200] or None, caption[:1000] or None)


def _told(entry: Told, page: Page) -> Picture | None:
    """A channel's picture, with its own words or those beside the same picture on the page."""
    address = absolute(entry.image or "", base=page.url)
    if address is None:
        return None
    element = _element(page.tree, address, page.url)
    caption = _caption(element)
    alt = entry.image_alt or (" ".join((element.get("alt") or "").split()) if element is not None else "")
    credit = entry.image_credit or _credit_element(element) or credit_of(caption)
    return Picture(address, alt[:500] or None, credit[:200] or None, caption[:1000] or None)


def credit_of(caption: str) -> str:
    """Who a caption credits: behind Photo:, Credit: or ©, or an agency at its end."""
    caption = caption[-300:]
    match = _AGENCY_CREDIT.search(caption) or _CREDIT.search(caption) or _SIGNED.search(caption)
    return match[1].strip(" .") if match else ""


def _node(said: Metadata) -> dict[str, Any]:
    for value in listed(said.article.get("image")) or listed(said.article.get("thumbnailUrl")):
        if isinstance(value, str):
            return {"url": value}
        if isinstance(value, dict):
            known = said.by_id.get(str(value.get("@id", "")), {})
            return {**known, **value}
    return {}


def _address(node: dict[str, Any], base: str | None) -> str | None:
    for name in ("url", "contentUrl", "@id"):
        for value in listed(node.get(name)):
            if isinstance(value, str) and (address := absolute(value, base=base)) and "#" not in address:
                return address
    return None


def _element(tree: HtmlElement, address: str | None, base: str | None) -> HtmlElement | None:
    """The img element that shows the picture, at whatever size; without an address the story's first."""
    images = tree.xpath("//img|//amp-img")[:200]
    if address:
        wanted = _stem(address)
        return next((image for image in images if _stem(absolute(_source(image), base=base) or "") == wanted), None)
    inside = (
        "//*[self::img or self::amp-img][ancestor::figure[ancestor::article or contains(@class, 'featured-image')]"
        " or contains(@class, 'wp-post-image') or contains(@class, 'entry-thumb') or parent::p[ancestor::article]]"
    )
    return next((image for image in tree.xpath(inside)[:20] if absolute(_source(image), base=base)), None)


def _source(image: HtmlElement) -> str:
    """Lazy loaders keep the address elsewhere and put a placeholder into src."""
    lazy = next((found for name in _LAZY if (found := image.get(name))), "")
    source = image.get("src") or ""
    is_stand_in = not source or source.startswith("data:") or bool(_STAND_IN.search(source[-100:]))
    if lazy and is_stand_in:
        return str(lazy)
    listed_ = (image.get("data-srcset") or image.get("data-lazy-srcset") or image.get("srcset") or "").strip()
    return str(listed_.split()[0].rstrip(",") if listed_ and (not source or source.startswith("data:")) else source)


def _stem(address: str) -> str:
    try:
        return _SIZE.sub("", urlsplit(address).path)
    except ValueError:
        return address


def _caption(element: HtmlElement | None) -> str:
    holder = _holder(element)
    found = (
        holder.xpath(".//figcaption|.//*[contains(@class, 'wp-caption-text') or contains(@class, 'caption')]")[:1]
        if holder is not None
        else []
    )
    return says(found[0], most=1_500) if found else ""


def _credit_element(element: HtmlElement | None) -> str:
    holder = _holder(element)
    found = holder.xpath(".//*[contains(@class, 'credit')]")[:1] if holder is not None else []
    words_ = says(found[0], most=300) if found else ""
    return credit_of(words_) or words_


def _holder(element: HtmlElement | None) -> HtmlElement | None:
    if element is None:
        return None
    return next(
        (
            parent
            for parent in element.iterancestors()
            if parent.tag == "figure" or "wp-caption" in (parent.get("class") or "")
        ),
        None,
    )
