"""What a chart looks like from outside: JSON, RSS and an HTML fragment, written once when the chart changes.

Readers are served these very bytes, so that one version is one body everywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from django.template.loader import render_to_string

from pipeline.kernel.config import config
from pipeline.ranking.shape import Placed, fell_back_to

TITLES: Mapping[str, str] = {
    "now": "Most read now",
    "today": "Most popular today",
    "week": "Most popular this week",
    "trending": "Trending",
}
#: A list never fills up in silence: what it was filled with, in a sentence for readers.
FALLBACKS: Mapping[str, str] = {
    "now": "Filled up with what was read in the last hour.",
    "today": "Filled up with what was read in the last 24 hours.",
    "week": "Filled up with what was read this week.",
    "newest": "Filled up with the newest stories.",
}


@dataclass(frozen=True, slots=True)
class Story:
    """What a list says of an article."""

    headline: str
    url: str
    section_path: Sequence[str]
    published_at: datetime | None


def board(*, window: str, section: str, places: Sequence[Placed], stories: Mapping[int, Story]) -> dict[str, Any]:
    """The list as data, without its instant. `fallback` names the longest window that filled it, None for its own."""
    last = fell_back_to(places, window=window)
    fallback = None if last == window else last
    return {
        "window": window,
        "title": f"{TITLES[window]}: {section}" if section else TITLES[window],
        "section": section or None,
        "fallback": fallback,
        "note": FALLBACKS[fallback] if fallback else "",
        "items": [_item(place, stories[place.article_id]) for place in places],
    }


def version_of(told: Mapping[str, Any]) -> str:
    """A name for exactly this list, headlines and addresses included."""
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=12).hexdigest()


def written(told: Mapping[str, Any], *, version: str, changed_at: datetime) -> dict[str, str]:
    """The bodies by format, as `Chart.bodies` keeps them."""
    said = {**told, "version": version, "changed_at": _stamp(changed_at)}
    return {
        "json": json.dumps(said, ensure_ascii=False, separators=(",", ":")),
        "rss": _rss(said),
        "html": render_to_string("public/popular_fragment.html", {"board": said, "title": said["title"]}),
    }


def _item(place: Placed, story: Story) -> dict[str, Any]:
    return {
        "place": place.place,
        "title": story.headline,
        "url": story.url if story.url.lower().startswith(("https://", "http://")) else "",
        "section": list(story.section_path),
        "published": _stamp(story.published_at),
        "clicks": place.value,
        "counted_in": place.counted_in,
        "label": place.label,
        "code": place.code,
    }


def _stamp(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _rss(said: Mapping[str, Any]) -> str:
    title = escape(said["title"])
    items = "".join(
        f"<item><title>{escape(_labelled(item))}</title><link>{escape(item['url'])}</link>"
        f'<guid isPermaLink="true">{escape(item["url"])}</guid></item>'
        for item in said["items"]
    )
    about = escape(" ".join(filter(None, (f"{said['title']}, as readers chose.", said["note"]))))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{title}</title><link>{escape(config().site_url)}</link><description>{about}</description>{items}</channel></rss>"
    )


def _labelled(item: Mapping[str, Any]) -> str:
    return f"{item['title']} ({item['label']})" if item["label"] else str(item["title"])
