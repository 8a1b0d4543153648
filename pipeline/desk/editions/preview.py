"""The message as readers get it, shown where nothing of it can act."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from pipeline.audience.models import Topic
from pipeline.delivery.message.arrange import arrangement
from pipeline.delivery.message.mail import doors
from pipeline.delivery.message.renderings import frozen
from pipeline.delivery.message.straight import as_recorded
from pipeline.desk import sign_in
from pipeline.editions import rendered
from pipeline.editions.assemble import content_of, rendering_of
from pipeline.editions.models import Edition, Newsletter
from pipeline.editions.render import UnusableTemplate
from pipeline.editions.rendered import LinkTable, Rendered
from pipeline.kernel.config import config

#: No script, no form, no frame, an origin of its own; pictures and the message's own styles are what it is made of.
POLICY = (
    "default-src 'none'; img-src{pictures}; style-src 'unsafe-inline'; sandbox; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
#: Where pictures come from: attributes and styles of the message before its blanks are filled, so that the open
#: picture is not among them and a look at the desk asks nothing of the tracking door.
PICTURE = re.compile(r"""(?:\bsrc="|\bbackground="|url\(\s*['"]?)(https?://[A-Za-z0-9.-]+(?::\d{1,5})?)(?=[/?"')])""")
#: A message's own styles, and the question in them that a preview answers instead of the editor's screen.
_STYLES = re.compile(r"<style\b.*?</style>", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
SCHEMES = ("light", "dark")
Blocks = tuple[int, ...] | None


def markup(edition: Edition, *, blocks: Blocks = None, rtl: bool = False) -> str:
    """The HTML of nobody in particular: the stored rendering through the same blanks as every reader's."""
    message = as_recorded(mirrored(edition) if rtl else frozen(edition), edition.newsletter)
    return rendered.preview(message, doors=doors(config()), values=rendered.sample_reader(message), blocks=blocks)


def mirrored(edition: Edition) -> Rendered:
    """What the same stories would be in a language that runs right to left; the stored one where that cannot be made."""
    content = content_of(edition)
    turned = replace(content, masthead=replace(content.masthead, direction="rtl"))
    try:
        return rendering_of(edition.newsletter, turned, origin_links=LinkTable())
    except UnusableTemplate:
        return frozen(edition)


def plain(edition: Edition, *, blocks: Blocks = None) -> str:
    """The plain text, likewise."""
    message = as_recorded(frozen(edition), edition.newsletter)
    return rendered.preview_text(message, doors=doors(config()), values=rendered.sample_reader(message), blocks=blocks)


def on_screen(markup: str, *, scheme: str) -> str:
    """The message as a mail program in light or dark mode shows it, whatever mode the editor's screen is in."""

    def answered(question: re.Match[str]) -> str:
        return "(min-width:0)" if question[1].lower() == scheme else "(max-width:0)"

    return _STYLES.sub(lambda style: _SCHEME.sub(answered, style[0]), markup)


def followed(request: HttpRequest, edition: Edition) -> list[str]:
    """The topics of this edition that the reader in question follows, as the address says."""
    asked = set(request.GET.getlist("follows"))
    return [slug for slug in topics_of(edition) if slug in asked]


def topics_of(edition: Edition) -> list[str]:
    """The topics its readers may choose blocks by; none where everybody gets every block."""
    if edition.newsletter.reader_choice == Newsletter.ReaderChoice.ALL:
        return []
    return list(dict.fromkeys(part["topic"] for part in edition.rendering.parts if part["topic"]))


@dataclass(frozen=True, slots=True)
class Look:
    """How a letter is looked at: as whose, with pictures or without, as a language that runs right to left."""

    follows: tuple[str, ...] = ()
    images_off: bool = False
    rtl: bool = False

    @property
    def query(self) -> str:
        """For an address."""
        more = {"images": "off"} if self.images_off else {}
        return query(self.follows, **more, **({"dir": "rtl"} if self.rtl else {}))


def look_of(request: HttpRequest, edition: Edition) -> Look:
    """As the address says."""
    return Look(
        follows=tuple(followed(request, edition)),
        images_off=request.GET.get("images") == "off",
        rtl=request.GET.get("dir") == "rtl",
    )


def switches(edition: Edition, look: Look) -> list[dict[str, Any]]:
    """What else the letter can be looked at as, each as a link that turns it on or off."""
    found = [("Images off", look.images_off, replace(look, images_off=not look.images_off))]
    if edition.newsletter.masthead.get("direction") != "rtl":
        found.append(("Right to left", look.rtl, replace(look, rtl=not look.rtl)))
    return [{"name": name, "on": on, "query": other.query} for name, on, other in found]


def as_reader(edition: Edition, look: Look) -> dict[str, Any] | None:
    """The choice of whose letter is shown: links that follow one topic more or less. One query where readers choose."""
    slugs, follows = topics_of(edition), look.follows
    if not slugs:
        return None
    names = dict(Topic.objects.filter(slug__in=slugs).values_list("slug", "name"))
    return {
        "follows": [names.get(slug, slug) for slug in follows],
        "topics": [
            {
                "name": names.get(slug, slug),
                "on": slug in follows,
                "query": replace(look, follows=tuple(s for s in slugs if (s in follows) != (s == slug))).query,
            }
            for slug in slugs
        ],
    }


def query(follows: Iterable[str], **more: str) -> str:
    """An address's query for a reader who follows these."""
    told = urlencode([*(("follows", slug) for slug in follows), *more.items()])
    return f"?{told}" if told else ""


@sign_in.required
@xframe_options_sameorigin
@require_safe
def message(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The HTML part; `follows` makes it that of a reader of these topics, `scheme` that of a light or dark mailbox.

    `images=off` forbids every picture; `dir=rtl` renders it anew as the design does for a language of that direction.
    """
    edition, scheme = _rendered(edition_id), request.GET.get("scheme", "")
    look = look_of(request, edition)
    html = markup(edition, blocks=_blocks(request, edition), rtl=look.rtl)
    if scheme in SCHEMES:
        html = on_screen(html, scheme=scheme)
    pictures = None if look.images_off else sorted(set(PICTURE.findall(edition.rendering.html)))
    return sealed(HttpResponse(html, content_type="text/html; charset=utf-8"), pictures=pictures)


@sign_in.required
@xframe_options_sameorigin
@require_safe
def text(request: sign_in.Guest, edition_id: int) -> HttpResponse:
    """The plain text part, likewise."""
    edition = _rendered(edition_id)
    told = plain(edition, blocks=_blocks(request, edition))
    return sealed(HttpResponse(told, content_type="text/plain; charset=utf-8"))


def _blocks(request: HttpRequest, edition: Edition) -> Blocks:
    """The blocks of the reader in question; None is the letter as it was written."""
    follows = followed(request, edition)
    return arrangement(edition.rendering.parts, follows, edition.newsletter.reader_choice) if follows else None


def _rendered(edition_id: int) -> Edition:
    rows = Edition.objects.select_related("newsletter", "rendering").filter(rendering__isnull=False)
    return get_object_or_404(rows, id=edition_id)


def sealed(answer: HttpResponse, *, pictures: Sequence[str] | None = ()) -> HttpResponse:
    """A message that can do nothing where it is shown; pictures come from these origins alone, with None from nowhere."""
    allowed = " 'none'" if pictures is None else "".join(f" {origin}" for origin in ("data:", *pictures))
    answer.headers["Content-Security-Policy"] = POLICY.format(pictures=allowed)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
