"""A message that comes back to no door of ours: its links lead straight to where they lead, no picture tells of it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from pipeline.editions.models import Newsletter
from pipeline.editions.rendered import Link, Rendered
from pipeline.engagement.models import Mode

_CLICK = re.compile(r"\[\[dl:c(\d{1,5})\]\]")
_OPEN = "[[dl:open]]"
_PICTURE = re.compile(r"<img\b[^<>]*\[\[dl:open\]\][^<>]*>", re.IGNORECASE)


def as_recorded(rendered: Rendered, newsletter: Newsletter) -> Rendered:
    """As this newsletter's readers get it: straight where nothing is to be recorded."""
    return straight(rendered) if newsletter.tracking == Mode.OFF else rendered


def straight(rendered: Rendered) -> Rendered:
    """Without the open picture, the link only machines see and every counted link; the readers' own doors stay."""
    urls = [link.url for link in rendered.links]

    def led(escape: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
        return lambda found: escape(urls[int(found[1])])

    markup = _PICTURE.sub("", _without_traps(rendered.html, rendered.links)).replace(_OPEN, "")
    text = rendered.text.replace(_OPEN, "")
    return replace(rendered, html=_CLICK.sub(led(html.escape), markup), text=_CLICK.sub(led(str), text), links=())


def _without_traps(markup: str, links: Iterable[Link]) -> str:
    for link in links:
        if link.kind == "honeypot":
            blank = re.escape(f"[[dl:c{link.number}]]")
            markup = re.sub(rf"<a\b[^<>]*{blank}[^<>]*>.*?</a>", "", markup, flags=re.IGNORECASE | re.DOTALL)
    return markup
