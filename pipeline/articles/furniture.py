"""What surrounds a story on a newsroom's page, told apart from it by whole blocks.

No extractor removes "Also read:" (the watching reference 0.7), so it is done here, on the tree. A block of more than
60 words is never removed for its words, nor are the first two paragraphs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from lxml.html import HtmlElement

from pipeline.articles.raw.markup import absolute
from pipeline.articles.raw.trees import MOST_CHARS, says
from pipeline.articles.raw.words import (
    CHROME_TAGS,
    FOLLOW,
    LEAD_IN,
    LIST_HEADING,
    NETWORKS,
    is_chrome,
    is_no_paragraph,
)

MOST_WORDS = 60  #: in a block that may be furniture
LONG_PARAGRAPH = 120  #: characters; three of them and an element is the story, whatever its class

_BLOCKS = frozenset(
    [
        "p",
        "div",
        "ul",
        "ol",
        "section",
        "blockquote",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "figure",
        "table",
        "center",
        "dl",
        "details",
        "header",
        "footer",
        "article",
    ]
)
_HEADINGS = frozenset(["h2", "h3", "h4", "h5", "h6", "p", "div", "strong", "b", "span", "header"])
_INLINE = "strong|em|b|i|span|a|u|small|mark"


@dataclass(frozen=True, slots=True)
class Related:
    """A link the newsroom put beside its story."""

    title: str
    url: str


def clean(content: HtmlElement, *, base: str | None = None) -> tuple[Related, ...]:
    """Remove furniture from a story's tree, in place; the related links that were in it."""
    strip_chrome(content)
    return strip_blocks(content, base=base)


def strip_chrome(content: HtmlElement) -> None:
    """Remove what its element or its class says is no story: scripts, share bars, comments, author boxes."""
    total: int | None = None
    for element in list(content.iterdescendants()):
        if _is_hidden(element):
            _remove(element)
        elif _has_chrome_class(element) and not _is_gone(element, content):
            total = len(str(content.text_content())) if total is None else total
            if not _holds_the_story(element, total):
                _remove(element)


def strip_blocks(content: HtmlElement, *, base: str | None = None) -> tuple[Related, ...]:
    """Remove blocks whose words say that they are furniture, then lists under "Most Popular"; the related links."""
    related: dict[str, Related] = {}
    paragraphs = 0
    for block in [element for element in content.iterdescendants() if element.tag in _BLOCKS]:
        if _is_gone(block, content):
            continue
        words = says(block)
        verdict = _verdict(block, words)
        count = len(words.split())
        if verdict == "chrome" and paragraphs < 2 and count >= 12:
            verdict = ""
        if verdict and count <= MOST_WORDS:
            _note(block, base, related if verdict in {"related", "lead"} else {})
            if verdict == "lead":
                _drop_links_after(block, base, related)
            _remove(block)
        elif block.tag == "p":
            paragraphs += count > 8
            _drop_tail(block, base, related)
    for heading in [element for element in content.iterdescendants() if element.tag in _HEADINGS]:
        _drop_list_after(heading, content, related, base)
    return tuple(related.values())


def _is_hidden(element: HtmlElement) -> bool:
    if element.tag in CHROME_TAGS or (
        element.tag.startswith("amp-") and element.tag not in {"amp-img", "amp-fit-text"}
    ):
        return True
    style = (element.get("style") or "")[:200].replace(" ", "").casefold()
    return element.get("hidden") is not None or element.get("aria-hidden") == "true" or "display:none" in style


def _has_chrome_class(element: HtmlElement) -> bool:
    if element.tag in {"body", "article", "main", "html"}:
        return False
    if element.tag == "p":
        return is_no_paragraph(element.get("class") or "") and len(says(element)) <= MOST_CHARS
    if element.tag == "header":
        return True
    return is_chrome(f"{element.get('class', '')[:1000]} {element.get('id', '')[:100]} {element.get('role', '')[:50]}")


def _holds_the_story(element: HtmlElement, total: int) -> bool:
    """Three long paragraphs, or most of the words and few of them links."""
    long_ones = 0
    for paragraph in islice(element.iter("p"), 200):
        long_ones += len(says(paragraph, most=LONG_PARAGRAPH)) > LONG_PARAGRAPH
        if long_ones == 3:
            return True
    size = len(says(element, most=total // 2 + 1))
    return size * 2 > total and not _mostly_links(element)


def _verdict(block: HtmlElement, words: str) -> str:
    """`related`, `lead` (links follow it) and `chrome` are furniture; "" is the story."""
    if not words or len(words) > MOST_CHARS:
        return ""
    count = len(words.split())
    if (match := LEAD_IN.match(words)) and match.end() > 2:
        linked = _linked(block)
        left = len(words) - match.end()
        if linked and linked * 2 >= left:
            return "related"
        if left <= 1 and not linked:
            return "lead"
    if FOLLOW.match(words) and count <= 40:
        return "chrome"
    return "chrome" if _names_networks(words) else ""


def _names_networks(words: str) -> bool:
    """A share bar without a class: `Facebook Twitter WhatsApp`."""
    bare = [word.strip("()[]|:,.·•+&").casefold() for word in words.split()[:41]]
    named = [word for word in bare if word]
    return 2 <= len(named) <= 40 and all(word in NETWORKS for word in named)


def _drop_tail(paragraph: HtmlElement, base: str | None, related: dict[str, Related]) -> None:
    """`Talks go on. <strong>Also read: <a>...</a></strong>`: the offer ends a paragraph of the story."""
    for child in paragraph.xpath("./" + "|./".join(_INLINE.split("|")))[-4:]:
        words = says(child)
        match = LEAD_IN.match(words)
        if match is None or match.end() < 3 or child.getparent() is not paragraph:
            continue
        rest = [child, *child.itersiblings()]
        said = " ".join(part for each in rest for part in (says(each), (each.tail or "").strip()) if part)
        links = sum(_linked(each) for each in rest)
        if links and links * 2 >= len(said) - match.end():
            for each in rest:
                _note(each, base, related)
                paragraph.remove(each)
            return


def _drop_links_after(lead: HtmlElement, base: str | None, related: dict[str, Related]) -> None:
    """`<p>Also read:</p>` and the blocks behind it that are nothing but links."""
    for follower in list(islice(lead.itersiblings(), 10)):
        if not (words := says(follower)):
            continue
        if len(words) > MOST_CHARS or _linked(follower) * 10 < len(words) * 9:
            return
        _note(follower, base, related)
        _remove(follower)


def _drop_list_after(heading: HtmlElement, content: HtmlElement, related: dict[str, Related], base: str | None) -> None:
    """A heading such as "Most Popular" and the list of links it announces."""
    words = says(heading, most=60)
    if len(words) > 60 or not LIST_HEADING.match(words) or _is_gone(heading, content):
        return
    holder = _alone(heading, words, content)
    if holder is None:
        return
    is_offer = words.casefold().startswith(("related", "recommended", "you ", "more "))
    for follower in list(islice(holder.itersiblings(), 20)):
        if not (said := says(follower)):
            continue
        is_box = follower.tag in {"p", "form"} and _verdict(follower, said) == "chrome"
        if not (follower.tag in {"ul", "ol", "div", "section", "table", "p"} and (is_box or _is_list(follower))):
            break
        if is_offer:
            _note(follower, base, related)
        _remove(follower)
    _remove(holder)


def _is_list(element: HtmlElement) -> bool:
    """Links and what little stands around them: dates, numbers of comments."""
    return _mostly_links(element, share=0.9 if element.tag == "p" else 0.5) and _linked(element) > 0


def _alone(element: HtmlElement, words: str, content: HtmlElement) -> HtmlElement | None:
    """The outermost element that says nothing but these words; None for a phrase in a sentence."""
    holder = element
    for parent in islice(element.iterancestors(), 6):
        if parent is content or says(parent, most=60) != words:
            break
        holder = parent
    is_phrase = holder.tag in {"strong", "b", "span"}
    return None if is_phrase else holder


def _mostly_links(element: HtmlElement, *, share: float = 0.5) -> bool:
    words = says(element, most=4_000)
    return _linked(element, most=4_000) >= len(words) * share


def _linked(element: HtmlElement, *, most: int = MOST_CHARS) -> int:
    """Characters of its words that are links."""
    if element.tag == "a":
        return len(says(element, most=most))
    return sum(len(says(link, most=most)) for link in islice(element.iter("a"), 100))


def _note(block: HtmlElement, base: str | None, related: dict[str, Related]) -> None:
    for link in _links(block, base):
        related.setdefault(link.url, link)


def _links(block: HtmlElement, base: str | None) -> Iterable[Related]:
    for link in islice(block.iter("a"), 20):
        url, title = absolute(link.get("href") or "", base=base), says(link)
        if url and title and not url.startswith("mailto:"):
            yield Related(title[:300], url)


def _is_gone(element: HtmlElement, content: HtmlElement) -> bool:
    top = element
    while top is not None and top is not content:
        top = top.getparent()
    return top is None


def _remove(element: HtmlElement) -> None:
    """Empty in place: to take elements out of a long text, one by one, copies the text each time."""
    element.clear(keep_tail=True)
    element.tag = "span"
