"""What readers of Bluesky can click: links, hashtags and mentions by byte offset into UTF-8. Pure.

A network that takes byteEnd 9999 of ten bytes leaves it to us that offsets are right (lexicon app.bsky.richtext.facet;
rules as in packages/api/src/rich-text/detection.ts, read on 2026-11-23).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from pipeline.channels import counting

_INVISIBLE = "\u00ad\u2060\u200a\u200b\u200c\u200d\u20e2"
_TAG = regex.compile(
    rf"(?:^|(?<=\s))[#＃](?!\ufe0f)(?P<tag>[^\s{_INVISIBLE}]*[^\d\s\p{{P}}{_INVISIBLE}]+[^\s{_INVISIBLE}]*)"
)
_TRAILING = regex.compile(r"\p{P}+\Z")
_MENTION = regex.compile(r"(?:^|(?<=[\s(]))@(?P<handle>[a-zA-Z0-9](?:[a-zA-Z0-9-]*\.)+[a-zA-Z][a-zA-Z0-9-]*)(?![\w@])")
_LONGEST_TAG = 64  #: graphemes


@dataclass(frozen=True, slots=True)
class Facet:
    """Bytes `start` to `end` (half-open) of a text are a "link", "tag" or "mention"; `value` is what it leads to."""

    kind: str
    value: str
    start: int
    end: int


def facets(text: str) -> tuple[Facet, ...]:
    """All facets in order; none overlaps another. The value of a mention is a handle, to be resolved."""
    found: list[Facet] = []
    for kind, value, start, end in _spans(text):
        begin, stop = len(text[:start].encode()), len(text[:end].encode())
        if not any(begin < other.end and other.start < stop for other in found):
            found.append(Facet(kind=kind, value=value, start=begin, end=stop))
    return tuple(sorted(found, key=lambda facet: facet.start))


def _spans(text: str) -> Iterator[tuple[str, str, int, int]]:
    """Kind, value and place in code points; links first, for they win."""
    for link in counting.links_with_scheme(text):
        yield "link", link.url, link.start, link.end
    for match in _MENTION.finditer(text):
        yield "mention", match["handle"], match.start(), match.end()
    for match in _TAG.finditer(text):
        tag = _TRAILING.sub("", match["tag"])
        if tag and counting.graphemes(tag) <= _LONGEST_TAG:
            start = match.start("tag")
            yield "tag", tag, start - 1, start + len(tag)
