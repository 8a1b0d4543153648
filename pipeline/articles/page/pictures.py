"""The picture of a story, with its words and whose it is. A picture that may be shown is not thereby licensed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from pipeline.articles.furniture import text_of
from pipeline.articles.raw.markup import absolute
from pipeline.articles.raw.metadata import Metadata, listed, words

_CREDIT = re.compile(
    r"(?:\b(?:photo|picture|image|photograph|illustration|credit|source|file photo|foto|bild|crédit photo|صورة|تصوير|رسم|فوٹو)s?(?:\s+(?:credit|courtesy|by|of))?\s*[:：©-]\s*|©\s*)(.{2,100}?)\s*[)\].]*\s*$",
    re.IGNORECASE,
)
_AGENCY_CREDIT = re.compile(
    r"[(\[/|–—-]\s*((?:[^()\[\]/|]{2,60}/)?(?:AFP|Reuters|REUTERS|Getty(?: Images)?|AP(?: Photo)?|EPA(?:-EFE)?|dpa|Anadolu|Xinhua|APP|PTI|ANI)(?:[^()\[\]|]{0,60})?)\s*[)\]]?\s*$"
)
_SIZE = re.compile(r"-\d{2,4}x\d{2,4}(?=\.\w+$)|-scaled(?=\.\w+$)")


@dataclass(frozen=True, slots=True)
class Picture:
    """An address and what the page says of it: `alt` for those who cannot see it, `caption`, and the `credit` due."""

    url: str
    alt: str | None = None
    credit: str | None = None
    caption: str | None = None


def find(tree: HtmlElement, said: Metadata, *, base: str | None, told: str | None = None) -> Picture | None:
    """The story's picture: JSON-LD, else og:image, else the feed's, else the first one in a figure of the story."""
    node = _node(said)
    address = (
        _address(node, base)
        or absolute(said.meta.get("og:image") or said.meta.get("twitter:image") or "", base=base)
        or told
    )
    element = _element(tree, address, base)
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


def credit_of(caption: str) -> str:
    """Who a caption credits: behind Photo:, Credit: or ©, or an agency at its end."""
    match = _AGENCY_CREDIT.search(caption) or _CREDIT.search(caption)
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
    images = tree.xpath("//img[@src or @data-src or @data-lazy-src]")[:200]
    if address:
        wanted = _stem(address)
        return next((image for image in images if _stem(absolute(_source(image), base=base) or "") == wanted), None)
    return next(
        iter(
            tree.xpath(
                "//article//figure//img|//*[contains(@class, 'wp-post-image') or contains(@class, 'entry-thumb')]|//article//p/img"
            )[:1]
        ),
        None,
    )


def _source(image: HtmlElement) -> str:
    """Lazy loaders keep the address elsewhere and put a placeholder into src."""
    lazy = image.get("data-src") or image.get("data-lazy-src")
    source = image.get("src") or ""
    return str(lazy or source) if lazy and (not source or source.startswith("data:")) else str(source or lazy or "")


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
    return text_of(found[0]) if found else ""


def _credit_element(element: HtmlElement | None) -> str:
    holder = _holder(element)
    found = holder.xpath(".//*[contains(@class, 'credit')]")[:1] if holder is not None else []
    words_ = text_of(found[0]) if found else ""
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
