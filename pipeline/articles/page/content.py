"""The story's own paragraphs: where newsrooms' themes put them, else where trafilatura finds them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import trafilatura
from lxml.html import HtmlElement

from pipeline.articles.furniture import Related, clean, strip_blocks, strip_chrome
from pipeline.articles.raw.holders import holders
from pipeline.articles.raw.loose import wrap
from pipeline.articles.raw.markup import clean_html, plain
from pipeline.articles.raw.trees import MAX_TEXT, fragment_tree, says, text_of

ENOUGH_CHARS = 250  #: of paragraphs in a holder, for it to be believed
TEASER = 12  #: times longer another holder is, and this one is none of the story
MAX_COPIES = 6  #: of holders that are cleaned to see what is left
MAX_ELEMENTS = 30_000  #: trafilatura is asked about; 100,000 took it 7 s
MAX_PARAGRAPHS = 5_000
FEWEST_CHARS = 60  #: of what trafilatura finds; less is a heading or a form

_TEXT_BLOCKS = frozenset(["p", "h2", "h3", "h4", "h5", "h6", "li", "blockquote", "pre", "dd", "dt"])
_ARTICLE_END = frozenset(["h1", "article"])


@dataclass(frozen=True, slots=True)
class Story:
    """Paragraphs, the related links that stood among them, and the first paragraph's element."""

    blocks: Sequence[str] = ()
    related: tuple[Related, ...] = ()
    first: HtmlElement | None = None

    @property
    def size(self) -> int:
        return sum(map(len, self.blocks))


def story(tree: HtmlElement, *, base: str | None = None) -> Story:
    """The story on a page. The tree is not changed; no text gives an empty story."""
    short = Story()
    copies = 0
    for found, is_sure in holders(tree):
        for held in _candidates(found):
            if copies == MAX_COPIES:
                break
            copies += 1
            here = _in(copy.deepcopy(held), base)
            if here.size >= ENOUGH_CHARS:
                return here
            short = here if is_sure and here.size > short.size else short
    told = _by_trafilatura(tree, base)
    return short if short.size > 0 and told.size < ENOUGH_CHARS else told


def from_markup(markup: str, *, base: str | None = None) -> Story:
    """The story in a channel's own HTML, cleaned as a page's is; a blank line parts paragraphs that nothing else does."""
    parted = re.sub(r"\n[ \t\r]{0,50}\n\s{0,50}", "<br>", markup)
    return _in([fragment_tree(parted)], base)


def from_words(body: object, *, base: str | None = None) -> Story:
    """The story in an articleBody: its paragraphs, where it has any, parted by line breaks or by markup."""
    if not isinstance(body, str):
        return Story()
    if re.search(r"</?p\b|<br\b", body, re.IGNORECASE):
        return from_markup(clean_html(body, base=base), base=base)
    lines = (plain(line) for line in body[:MAX_TEXT].split("\n")[:MAX_PARAGRAPHS])
    return Story([line for line in lines if line])


def paragraphs(content: HtmlElement) -> list[HtmlElement]:
    """Blocks of text in document order, none inside another; captions left out."""
    holding: set[HtmlElement] = set()
    for element in content.iter(*_TEXT_BLOCKS):
        for parent in element.iterancestors():
            if parent in holding:
                break
            holding.add(parent)
    found, taken = [], set[HtmlElement]()
    for element in content.iter():
        if element in taken or element.tag in {"figure", "figcaption"}:
            taken.update(element)
        elif element.tag in _TEXT_BLOCKS and element not in holding:
            found.append(element)
            taken.update(element)
    return found


def _candidates(found: list[HtmlElement]) -> Iterable[list[HtmlElement]]:
    """Holders worth looking into, each with the pieces of the same story beside it.

    The first is meant, not the longest: the next story of an endless page stands below it. Only where it is a
    twelfth of the longest is it a teaser.
    """
    sizes = {held: len(str(held.text_content())) for held in found}
    longest = max(sizes.values(), default=0)
    joined: set[HtmlElement] = set()
    for held, size in sizes.items():
        if held in joined:
            continue
        pieces = [held, *_further_pieces(held, set(found))]
        joined.update(pieces)
        if len(pieces) > 1 or size * TEASER >= longest:
            yield pieces


def _further_pieces(held: HtmlElement, found: set[HtmlElement]) -> Iterable[HtmlElement]:
    """A story cut in pieces by advertisements: siblings of one class, with no headline between them."""
    if held.tag in _ARTICLE_END:
        return
    for sibling in held.itersiblings():
        if sibling.tag in _ARTICLE_END or sibling.find(".//h1") is not None:
            return
        if sibling in found and sibling.get("class") == held.get("class"):
            yield sibling


def _in(pieces: list[HtmlElement], base: str | None) -> Story:
    related: dict[str, Related] = {}
    blocks: list[HtmlElement] = []
    for content in pieces:
        strip_chrome(content)
        wrap(content)
        related |= {link.url: link for link in strip_blocks(content, base=base)}
        blocks += [block for block in paragraphs(content)[:MAX_PARAGRAPHS] if says(block, most=1)]
    first = next((block for block in blocks if block.tag == "p"), blocks[0] if blocks else None)
    return Story(_of_bearable_length(map(text_of, blocks)), tuple(related.values()), first)


def _of_bearable_length(blocks: Iterable[str]) -> list[str]:
    kept: list[str] = []
    left = MAX_TEXT
    for block in blocks:
        if left <= 0:
            break
        kept.append(block[:left])
        left -= len(block)
    return kept


def _by_trafilatura(tree: HtmlElement, base: str | None) -> Story:
    content = copy.deepcopy(tree)
    related = clean(content, base=base)
    if content.xpath("count(.//*)") > MAX_ELEMENTS or len(str(content.text_content())) > 2 * MAX_TEXT:
        return Story((), related)
    try:
        document = trafilatura.bare_extraction(
            content, favor_precision=True, include_comments=False, include_tables=False
        )
    except Exception:  # of trafilatura on a stranger's tree: anything; no text is an answer too
        return Story((), related)
    text = str(getattr(document, "text", "") or "")
    if len(text) < FEWEST_CHARS:
        return Story((), related)
    return Story(_of_bearable_length(line.strip() for line in text.split("\n") if line.strip()), related)
