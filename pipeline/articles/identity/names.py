"""The names a site gives a story: any of them leads to the one article (the watching reference 7)."""

from __future__ import annotations

import re
from typing import Protocol

from pipeline.articles.addresses import comparable, same_site

LONGEST_NAME = 2000
#: WordPress's guid is its plain address for good: the number in it survives slugs, domains and https.
_PLAIN_ADDRESS = re.compile(r"^https?://[^/?#]+/(?:[^?#]*/)?\?(?:post_type=[\w-]+&(?:amp;|#038;)?)?p=(\d{1,18})$")

Name = tuple[str, str]  #: (kind, value): wp_id, guid or url


class Named(Protocol):
    """Whatever carries a story's names."""

    @property
    def id(self) -> str: ...
    @property
    def link(self) -> str | None: ...
    @property
    def wp_id(self) -> int | None: ...


def names_of(story: Named) -> list[Name]:
    """Every name a story goes by, the strongest first; its address comes last."""
    number = story.wp_id or _number(story.id, beside=story.link or "")
    names = [("wp_id", str(number))] if number else []
    names += [("guid", story.id[:LONGEST_NAME])] if story.id else []
    return [*names, url_name(story.link)] if story.link else names


def url_name(address: str) -> Name:
    """The name that an address is: http and https, `www.`, AMP and trackers folded away."""
    return ("url", comparable(address)[:LONGEST_NAME])


def _number(guid: str, *, beside: str) -> int | None:
    """The number in a WordPress guid, if the guid is of the site the story is on: aggregated feeds mix sites."""
    match = _PLAIN_ADDRESS.match(guid[:500])
    return int(match[1]) if match and (not beside or same_site(guid, beside)) else None
