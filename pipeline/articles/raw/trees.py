"""Markup as trees of bounded size and depth, with the spaces that blocks and line breaks stand for.

`<h1>Talks<br>resume</h1>` says two words and `<li>a</li><li>b</li>` two letters; text_content() would glue them.
"""

from __future__ import annotations

import html as entities
import re
from itertools import islice

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring, fragment_fromstring

from pipeline.articles.raw.markup import MAX_HTML_CHARS, UnusableInput, depth

MAX_TAGS = 80_000
MAX_TEXT = 500_000  #: characters of one story
MOST_CHARS = 600  #: a block says, for most questions about it
MAX_DEPTH = 300
MAX_ATTRIBUTES = 1_500  #: in one tag; lxml's own work grows with their square
MAX_ATTRIBUTES_IN_ALL = 150_000  #: each takes lxml half a kilobyte

SPACED = (
    *("address", "article", "aside", "blockquote", "br", "center", "dd", "div", "dl", "dt", "figcaption", "figure"),
    *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "option", "p"),
    *("pre", "section", "table", "td", "th", "tr", "ul"),
)
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body|article|main|div|section|p|h1|title|meta)\b", re.IGNORECASE)
_ATTRIBUTES = re.compile(r"<[A-Za-z][^\s<>/]*[\s/]([^<>]+)")
_VALUE = re.compile(r"=\s{0,20}(?:\"[^\"]*\"|'[^']*')")
_SCRIPT = re.compile(r"<(/?)(script|style)\b([^<>]{0,1000})>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def page_tree(text: str) -> HtmlElement:
    """A page's tree. Raises UnusableInput for what is none, or would cost too much."""
    if not _PAGE.search(text[:200_000]):
        raise UnusableInput(
            "this is not a web page: it has no HTML in it" if text.strip() else "empty: no bytes of a page"
        )
    text = _without_scripts(text)
    if text.count("<") > MAX_TAGS or depth(text, stop_at=MAX_DEPTH) >= MAX_DEPTH:
        raise UnusableInput("not readable as a page: more or deeper markup than any story needs")
    if _is_crowded(text):
        raise UnusableInput("not readable as a page: more attributes than any story's page needs")
    try:
        tree = document_fromstring(
            text.encode("utf-8", "replace"), parser=HTMLParser(encoding="utf-8", remove_pis=True, remove_comments=True)
        )
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise UnusableInput(f"not readable as a page: {' '.join(str(error).split())[:200]}") from error
    return _spaced(tree)


def _without_scripts(text: str) -> str:
    """Without programs and styles, which are most of many pages; JSON-LD stays."""
    kept: list[str] = []
    end, opened = 0, None
    for match in _SCRIPT.finditer(text):
        closing, name, rest = match.groups()
        if opened is None and not closing:
            opened = (name.lower(), match.end(), "ld+json" in rest)
        elif opened and closing and name.lower() == opened[0]:
            if not opened[2]:
                kept.append(text[end : opened[1]])
                end = match.start()
            opened = None
    return "".join([*kept, text[end:]])


def _is_crowded(text: str) -> bool:
    total = 0
    for match in _ATTRIBUTES.finditer(text):
        count = len(_VALUE.sub("= ", match[1]).split())
        total += count
        if count > MAX_ATTRIBUTES or total > MAX_ATTRIBUTES_IN_ALL:
            return True
    return False


def fragment_tree(markup: str) -> HtmlElement:
    """A div with a story's markup in it; markup that is too much is taken as its words. Never raises."""
    markup = markup[:MAX_HTML_CHARS]
    if markup.count("<") > MAX_TAGS or depth(markup, stop_at=MAX_DEPTH) >= MAX_DEPTH or _is_crowded(markup):
        markup = f"<p>{entities.escape(_TAG.sub(' ', markup))}</p>"
    try:
        return _spaced(
            fragment_fromstring(markup, create_parent="div", parser=HTMLParser(remove_pis=True, remove_comments=True))
        )
    except (etree.LxmlError, ValueError, AssertionError):
        return fragment_fromstring("", create_parent="div")


def text_of(element: HtmlElement) -> str:
    """The words of an element on one line, as many as a story may have."""
    return says(element, most=MAX_TEXT, nodes=MAX_TAGS)


def says(element: HtmlElement, *, most: int = MOST_CHARS, nodes: int = 400) -> str:
    """The first words of an element on one line: at least `most` characters if there are so many, and few more."""
    parts: list[str] = []
    length = 0
    for text in islice(element.itertext(), nodes):
        part = (text if length else text.lstrip())[: most + 1]
        parts.append(part)
        length += len(part.strip())
        if length > most:
            break
    return " ".join("".join(parts).split())


def _spaced(tree: HtmlElement) -> HtmlElement:
    for element in tree.iter(*SPACED):
        element.tail = " " + (element.tail or "")
    return tree
