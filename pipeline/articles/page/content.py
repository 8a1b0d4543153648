"""The story's own paragraphs on a page, found by where newsrooms' themes put them, else by trafilatura."""

from __future__ import annotations

import copy

import trafilatura
from lxml.html import HtmlElement

from pipeline.articles.furniture import Related, clean, text_of

ENOUGH_CHARS = 250  #: of paragraphs in a holder, for it to be believed
MAX_ELEMENTS = 30_000  #: trafilatura is asked about; 100,000 took it 7 s
FEWEST_CHARS = 60  #: of what trafilatura finds; less is a heading or a form

_HOLDERS = (
    "//*[@itemprop='articleBody']",
    *(
        f"//*[contains(concat(' ', normalize-space(@class), ' '), ' {name} ')]"
        for name in (
            *(
                "td-post-content",
                "tdb_single_content",
                "entry-content",
                "post-content",
                "article-content",
                "article-body",
            ),
            *(
                "article__body",
                "article__content",
                "story-body",
                "story-content",
                "story__content",
                "single-content",
            ),
            *(
                "post-body",
                "content-body",
                "body-copy",
                "post__content",
                "jeg_post_content",
                "content-inner",
                "news-content",
            ),
        )
    ),
    "//*[@id='article-body' or @id='story-body' or @id='articleBody' or @id='content-body']",
    "//main//article",
    "//article",
)
_TEXT_BLOCKS = frozenset(["p", "h2", "h3", "h4", "h5", "h6", "li", "blockquote", "pre", "dd", "dt"])
_HOLDING = frozenset(["p", "li", "blockquote", "div", "ul", "ol"])


def story(tree: HtmlElement, *, base: str | None = None) -> tuple[list[str], tuple[Related, ...], HtmlElement | None]:
    """Paragraphs, the related links that stood among them, and the first paragraph's element.

    The tree is not changed. No text gives empty lists.
    """
    for path in _HOLDERS:
        held = tree.xpath(path)[:20]
        if not held:
            continue
        content = copy.deepcopy(max(held, key=lambda element: len(str(element.text_content()))))
        related = clean(content, base=base)
        blocks = paragraphs(content)
        if sum(len(text_of(block)) for block in blocks) >= ENOUGH_CHARS:
            return [text_of(block) for block in blocks], related, _first(blocks)
    return _by_trafilatura(tree, base)


def paragraphs(content: HtmlElement) -> list[HtmlElement]:
    """Blocks of text in document order, none inside another; captions and headings of figures left out."""
    _split_breaks(content)
    found = []
    for element in content.iter():
        if element.tag not in _TEXT_BLOCKS or not text_of(element):
            continue
        if any(parent.tag == "figure" or _is_text(parent) for parent in element.iterancestors()):
            continue
        if _is_text(element):
            found.append(element)
    return found


def _is_text(element: HtmlElement) -> bool:
    """A block of text that holds no further blocks of its own."""
    return element.tag in _TEXT_BLOCKS and not element.xpath("boolean(.//p|.//li|.//h2|.//h3|.//h4|.//blockquote)")


def _split_breaks(content: HtmlElement) -> None:
    """Text that stands bare in a holder (old sites: `text<br><br>text`) becomes paragraphs."""
    for holder in [content, *content.xpath(".//div|.//section|.//article|.//center")]:
        if holder.xpath("boolean(.//p|.//li)") or len(text_of(holder)) < 80:
            continue
        if holder.xpath("boolean(.//div|.//section)"):
            continue
        parts = [" ".join(part.split()) for part in _lines(holder)]
        for child in list(holder):
            holder.remove(child)
        holder.text = None
        for part in filter(None, parts):
            paragraph = holder.makeelement("p", {})
            paragraph.text = part
            holder.append(paragraph)


def _lines(holder: HtmlElement) -> list[str]:
    for line_break in holder.xpath(".//br"):
        line_break.tail = "\n\n" + (line_break.tail or "")
    return str(holder.text_content()).split("\n\n")


def _first(blocks: list[HtmlElement]) -> HtmlElement | None:
    return next((block for block in blocks if block.tag == "p"), blocks[0] if blocks else None)


def _by_trafilatura(tree: HtmlElement, base: str | None) -> tuple[list[str], tuple[Related, ...], None]:
    content = copy.deepcopy(tree)
    related = clean(content, base=base)
    if content.xpath("count(.//*)") > MAX_ELEMENTS:
        return [], related, None
    try:
        document = trafilatura.bare_extraction(
            content, favor_precision=True, include_comments=False, include_tables=False
        )
    except Exception:  # of trafilatura on a stranger's tree: anything; no text is an answer too
        return [], related, None
    text = str(getattr(document, "text", "") or "")
    if len(text) < FEWEST_CHARS:
        return [], related, None
    return [line.strip() for line in text.split("\n") if line.strip()], related, None
