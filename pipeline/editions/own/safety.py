"""What no letter may hold, whoever wrote it: scripts, frames, forms, addresses that are none."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from pipeline.editions.own.markup import HIDDEN, Attribute, Tag
from pipeline.editions.own.problems import ERROR, WARNING

#: What Gmail, Outlook and Apple Mail remove, run or distrust.
_FORBIDDEN = frozenset(
    {"applet", "audio", "base", "button", "embed", "form", "frame", "frameset", "iframe", "input", "link",
     "math", "meta", "noscript", "object", "option", "param", "portal", "script", "select", "slot", "svg",
     "template", "textarea", "title", "video"}
)  # fmt: skip
_ADDRESSES = frozenset(
    {"action", "background", "background-url", "base-url", "cite", "data", "formaction", "href",
     "icon-unwrapped-url", "icon-wrapped-url", "left-icon", "longdesc", "lowsrc", "poster", "right-icon", "src",
     "thumbnails-src", "xlink:href"}
)  # fmt: skip
_LISTS = frozenset({"srcset", "imagesrcset"})
_GOES = re.compile(rf"(?:https?://|mailto:|tel:|#|\[\[dl:|{HIDDEN})", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\ufeff]")
#: Rules that run something, fetch something unseen, or hide from the reader what they do.
_RULES = re.compile(r"expression\s*\(|javascript:|vbscript:|behaviou?r\s*:|-moz-binding|@import", re.IGNORECASE)
_CSS_COMMENT = re.compile(r"/\*.*?\*/|\\", re.DOTALL)

Said = tuple[int, str, str, Mapping[str, object]]


def of_tag(tag: Tag) -> Iterator[Said]:
    """What is unsafe about a tag and its attributes: offset, level, code, parameters."""
    if tag.name.lower() in _FORBIDDEN and not (tag.name == "meta" and not tag.closes and _is_colour_scheme(tag)):
        yield tag.at, ERROR, "forbidden_tag", {"name": tag.name[:40]}
    for attribute in tag.attributes:
        yield from _of_attribute(attribute)


def _is_colour_scheme(tag: Tag) -> bool:
    """The one <meta> a letter has a use for: whether it is made for the dark."""
    given = {attribute.name.lower(): attribute.value.lower() for attribute in tag.attributes}
    return set(given) <= {"name", "content"} and given.get("name") in {"color-scheme", "supported-color-schemes"}


def _of_attribute(attribute: Attribute) -> Iterator[Said]:
    name = attribute.name.lower()
    if name.startswith("on") or name == "srcdoc":
        yield attribute.at, ERROR, "forbidden_attribute", {"attribute": attribute.name[:40]}
    elif name in _ADDRESSES:
        yield from _of_address(attribute, attribute.value)
    elif name in _LISTS:
        for each in attribute.value.split(","):
            yield from _of_address(attribute, each)
    elif name == "style":
        yield from of_rules(attribute.value, at=attribute.at)


def _of_address(attribute: Attribute, value: str) -> Iterator[Said]:
    """Mailboxes show a letter at no address of its own: what is not whole leads nowhere."""
    seen = _INVISIBLE.sub("", html.unescape(value))
    shown = {"value": seen[:60].replace(HIDDEN, "…")}
    if not seen or _GOES.match(seen):
        return
    if _SCHEME.match(seen):
        yield attribute.at, ERROR, "unsafe_address", shown
    else:
        yield attribute.at, WARNING, "nowhere", shown


def of_rules(rules: str, *, at: int) -> Iterator[Said]:
    """What is unsafe in CSS: offset, level, code, parameters."""
    found = _RULES.search(_CSS_COMMENT.sub("", html.unescape(rules)))
    if found:
        yield at, ERROR, "unsafe_rule", {"rule": found[0]}
