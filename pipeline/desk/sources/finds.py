"""What was found at an address: signed, so that nothing else can be confirmed, and told in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core import signing

from pipeline.desk.sources import words
from pipeline.desk.words import count
from pipeline.sources import discover
from pipeline.sources.discover import Found, Way
from pipeline.sources.models import Channel, Push

GOOD_FOR_S = 3600  #: how long what was found may wait for its confirmation
LONGEST_TITLE, MOST_WARNINGS = 120, 10
_CARRIED = ("home_url", "title", "generator", "zone", "stories", "takes_pings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """What was found, without the stories; of these the newest one's headline."""

    found: Found
    newest: str
    newest_at: datetime | None
    warnings: tuple[str, ...]


def signed(found: Found, *, user_id: int) -> str:
    """What a person was shown, for them to give back."""
    newest = found.newest
    kept = {
        **{name: getattr(found, name) for name in _CARRIED},
        "title": found.title[:LONGEST_TITLE],
        "generator": found.generator[:200],
        "ways": [asdict(way) for way in found.ways],
        "newest": newest.title[:200] if newest else "",
        "newest_at": newest.published.isoformat() if newest and newest.published else "",
        "warnings": found.warnings[:MOST_WARNINGS],
    }
    return signing.dumps(kept, salt=_salt(user_id), compress=True)


def opened(signed: str, *, user_id: int) -> Find | None:
    """What that person was shown; None where it is not ours, another's, or too old."""
    try:
        kept: dict[str, Any] = signing.loads(signed, salt=_salt(user_id), max_age=GOOD_FOR_S)
    except signing.BadSignature:
        return None
    ways = tuple(Way(**way) for way in kept["ways"])
    return Find(
        found=Found(ways=ways, **{name: kept[name] for name in _CARRIED}),
        newest=kept["newest"],
        newest_at=datetime.fromisoformat(kept["newest_at"]) if kept["newest_at"] else None,
        warnings=tuple(kept["warnings"]),
    )


def _salt(user_id: int) -> str:
    return f"desk.sources.found.{user_id}"


def told(find: Find) -> dict[str, Any]:
    """What was found, as the page says it; which ways are new where the site is watched already."""
    found, source = find.found, discover.known(find.found)
    have: set[str] = set()
    if source:
        have |= set(Channel.objects.filter(source=source).values_list("url", flat=True))
        have |= set(Push.objects.filter(source=source).values_list("hub_url", flat=True))
    ways = [
        {"kind": words.WAYS.get(way.kind, way.kind), "url": way.url, "new": way.url not in have} for way in found.ways
    ]
    return {
        "title": found.title,
        "home_url": found.home_url,
        "ways": ways,
        "generator": words.program(found.generator),
        "takes_pings": found.takes_pings,
        "stories": count(found.stories, "story", "stories") if found.stories is not None else "",
        "newest": find.newest,
        "newest_at": find.newest_at,
        "warnings": find.warnings,
        "known": {"id": source.id, "name": source.name} if source else None,
        "lacks": any(way["new"] for way in ways),
    }
