"""Text that stands bare in its holder (`text<br><br>text`, a line between two paragraphs) made paragraphs."""

from __future__ import annotations

from lxml.html import HtmlElement

from pipeline.articles.raw.trees import SPACED, says

ENOUGH_BARE = 80  #: characters of a holder without any block, to be text
ENOUGH_BETWEEN = 40  #: characters of a line between blocks

_HOLDERS = frozenset(["div", "section", "article", "center", "main", "td", "li", "blockquote", "body", "details"])
_BLOCKS = frozenset(SPACED) - {"br"}
_ENDS = frozenset(".!?…。！？۔؟।")
_QUOTES = "'\")]’”»」"


def wrap(content: HtmlElement) -> None:
    """Make paragraphs of bare text, in place."""
    holding: set[HtmlElement] = set()
    for element in content.iter(*_BLOCKS):
        for parent in element.iterancestors():
            if parent in holding:
                break
            holding.add(parent)
    for holder in [element for element in content.iter() if element.tag in _HOLDERS]:
        _wrap(holder, holding)


def _wrap(holder: HtmlElement, holding: set[HtmlElement]) -> None:
    mixed = any(child.tag in _BLOCKS or child in holding for child in holder)
    if not mixed and (not (words := says(holder)) or not (len(words) >= ENOUGH_BARE or _is_sentence(words))):
        return
    if mixed and not _has_bare_text(holder):
        return
    parts = [part for part in _parts(holder, holding) if part.get("data-bare") is None or _is_text(part, mixed)]
    for child in list(holder):
        holder.remove(child)
    holder.text = None
    for part in parts:
        part.attrib.pop("data-bare", None)
        holder.append(part)


def _has_bare_text(holder: HtmlElement) -> bool:
    """Any words of its own, or inline elements between its blocks."""
    if (holder.text or "").strip() or any((child.tail or "").strip() for child in holder):
        return True
    return any(child.tag not in _BLOCKS and child.tag not in {"br", "img", "picture"} for child in holder)


def _parts(holder: HtmlElement, holding: set[HtmlElement]) -> list[HtmlElement]:
    """Its blocks as they are, and the runs between them and between line breaks as paragraphs."""
    parts = [_bare(holder, holder.text)]
    for child in list(holder):
        tail, child.tail = child.tail, None
        if child.tag == "br":
            parts.append(_bare(holder, tail))
        elif child.tag in _BLOCKS or child in holding:
            parts += [child, _bare(holder, tail)]
        else:
            parts[-1].append(child)
            child.tail = tail
    return parts


def _bare(holder: HtmlElement, text: str | None) -> HtmlElement:
    paragraph = holder.makeelement("p", {"data-bare": ""})
    paragraph.text = text
    return paragraph


def _is_text(part: HtmlElement, mixed: bool) -> bool:
    words = says(part)
    return bool(words) and (not mixed or len(words) >= ENOUGH_BETWEEN or _is_sentence(words))


def _is_sentence(words: str) -> bool:
    """Two words or more (or a line of a script without spaces) and a mark behind the last."""
    bare = words.rstrip(_QUOTES)
    return bool(bare) and bare[-1] in _ENDS and (" " in bare or not bare.isascii())
