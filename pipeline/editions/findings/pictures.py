"""Pictures without words, too heavy, missing, or shown twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from pipeline.editions.content import EditionContent
from pipeline.editions.findings.finding import CONFIRM, NOTE, Facts, Finding, placed

HEAVY_BYTES = 1_000_000
_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_ALT = re.compile(r"\salt\s*=", re.IGNORECASE)
#: Blocks whose pictures every design shows.
_SHOWN = frozenset({"lead", "top", "sponsor"})
#: How publishing systems name the sizes of one picture: -800x600, -scaled.
_SIZE = re.compile(r"(?:-\d{2,5}x\d{2,5}|-scaled|@2x)(?=\.[a-z]+$)", re.IGNORECASE)


def of_pictures(markup: str, content: EditionContent, *, facts: Facts) -> Iterator[Finding]:
    """What is wrong with the pictures readers will see."""
    bare = sum(1 for image in _IMAGE.findall(markup) if not _ALT.search(image))
    if bare:
        yield Finding(code="no_alt", level=CONFIRM, where="design", params={"count": bare})
    first: dict[str, tuple[str, str]] = {}
    for where, kind, story in placed(content):
        if story.picture is None:
            continue
        url, params = story.picture.url, {"headline": story.headline}
        if kind in _SHOWN and not story.picture.alt.strip():
            yield Finding(code="picture_without_words", level=NOTE, where=where, params=params)
        if weight := facts.heavy_pictures.get(url):
            told = {**params, "size": _size(weight), "limit": HEAVY_BYTES // 1000}
            yield Finding(code="heavy_picture", level=CONFIRM, where=where, params=told)
        if said := facts.missing_pictures.get(url):
            yield Finding(code="missing_picture", level=CONFIRM, where=where, params={**params, "said": said})
        address, headline = first.setdefault(_same(url), (story.url, story.headline))
        if address != story.url:
            yield Finding(code="repeated_picture", level=NOTE, where=where, params={**params, "other": headline})


def _size(weight: int) -> str:
    return f"{weight / 1_000_000:.1f} MB" if weight > HEAVY_BYTES else "more than 1 MB"


def _same(url: str) -> str:
    """One picture's address whatever the size it is asked for in."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.netloc.lower()}{_SIZE.sub('', parts.path)}" + (f"?{parts.query}" if _is_script(parts.path) else "")


def _is_script(path: str) -> bool:
    """Whether the picture is named by the query rather than by the path."""
    return "." not in path.rsplit("/", 1)[-1]
