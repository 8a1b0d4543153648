"""The Jinja environment of web pages: strict, escaped, and fed plain data."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from jinja2 import Environment, StrictUndefined

MINUTE, HOUR, DAY = 60, 3600, 86_400


def environment(**options: Any) -> Environment:
    """What Django's Jinja2 backend calls; an unknown name in a page is an error, not an empty string."""
    options |= {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    env = Environment(autoescape=True, **{name: value for name, value in options.items() if name != "autoescape"})
    env.globals.update(url=_url, static=static)
    env.filters.update(local=local, ago=ago, number=number)
    return env


def _url(name: str, **arguments: Any) -> str:
    return reverse(name, kwargs=arguments)


def local(at: datetime | None, zone: str = "UTC", form: str = "%a %-d %b, %H:%M") -> str:
    """An instant on the newsroom's clock, with the zone's own abbreviation."""
    if at is None:
        return "–"
    there = at.astimezone(ZoneInfo(zone))
    return f"{there.strftime(form)} {there.strftime('%Z')}"


def ago(at: datetime | None, now: datetime | None = None) -> str:
    """How long since, or until, in words."""
    if at is None:
        return "never"
    seconds = ((now or timezone.now()) - at).total_seconds()
    words = _span(abs(seconds))
    if words == "now":
        return "just now" if seconds >= 0 else "now"
    return f"{words} ago" if seconds >= 0 else f"in {words}"


def _span(seconds: float) -> str:
    for size, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s")):
        if seconds >= size:
            return f"{int(seconds // size)} {name}"
    return "now"


def number(value: int | float | None) -> str:
    """Thousands with a thin space, as newspapers set them."""
    return "–" if value is None else f"{value:,}".replace(",", "\u202f")
