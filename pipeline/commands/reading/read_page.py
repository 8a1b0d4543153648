"""`dateline read-page`: what an article's page says, one JSON object for each file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.articles import read as reader
from pipeline.articles.read import Reading, read
from pipeline.commands.reading.read_feed import bounded, content, instant


def lines(paths: Iterable[Path | str], *, url: str | None = None) -> Iterator[dict[str, Any]]:
    """One answer for each file, in order. Raises UnusableInput for a file that cannot be read or is no page."""
    for path in map(Path, paths):
        data = content(path, most=reader.MAX_BYTES)
        with bounded(path):
            answer = as_json(read(data, url=url))
        yield answer


def as_json(reading: Reading) -> dict[str, Any]:
    """A reading as the answer's object."""
    dateline = reading.dateline
    return {
        "title": reading.title,
        "authors": list(reading.authors),
        "published": instant(reading.published),
        "modified": instant(reading.modified),
        "site_name": reading.site_name,
        "section": reading.section,
        "breadcrumbs": list(reading.breadcrumbs),
        "image": asdict(reading.image) if reading.image else None,
        "language": reading.language,
        "canonical": reading.canonical,
        "dateline": dateline
        and {
            "place": dateline.place or None,
            "date": dateline.date.isoformat() if dateline.date else None,
            "agency": dateline.agency,
        },
        "standfirst": reading.standfirst,
        "text": reading.text,
        "related": [asdict(link) for link in reading.related],
        "paywalled": reading.paywalled,
        "markers": [asdict(marker) for marker in reading.markers],
        "warnings": list(reading.warnings),
    }
