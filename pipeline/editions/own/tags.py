"""MJML 4 as its own validator knows it: tags, their attributes, what an attribute holds and which tags stand in which.

Read from npm mjml 4.18.0 (mjml-preset-core, allowedAttributes and dependencies) on 2026-11-25, and compared with mrml
6.0.1, which compiles all of these but those in `NOT_COMPILED`, and passes anything else in silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PADDING = "padding padding-top padding-right padding-bottom padding-left"
_BORDER = "border border-top border-right border-bottom border-left"
_TYPE = "font-family font-size font-weight"
_GROUND = (
    "background-color background-position background-position-x background-position-y background-repeat"
    " background-size background-url"
)
_BAND = f"{_PADDING} {_BORDER} {_GROUND} border-radius direction full-width text-align text-padding"
_ICONS = "icon-unwrapped-alt icon-unwrapped-url icon-wrapped-alt icon-wrapped-url"
_FOLD = f"border font-family icon-align icon-height icon-position icon-width {_ICONS}"
_LINK = "href name rel target title"
_ICO_PADDING = "ico-padding ico-padding-top ico-padding-right ico-padding-bottom ico-padding-left"
_INNER_PADDING = "inner-padding inner-padding-top inner-padding-right inner-padding-bottom inner-padding-left"
_INNER_BORDER = "inner-border inner-border-top inner-border-right inner-border-bottom inner-border-left"

#: What a column holds.
_CONTENT = (
    "mj-accordion mj-button mj-carousel mj-divider mj-image mj-navbar mj-raw mj-social mj-spacer mj-table mj-text"
)

#: Attributes every tag of the body may carry.
EVERYWHERE = frozenset({"css-class", "mj-class"})
#: The validator's tags that mrml refuses to compile, wherever they stand.
NOT_COMPILED = frozenset({"mj-html-attributes", "mj-selector", "mj-html-attribute"})
#: Networks mrml has an icon for; for any other a design must bring its own `src`. Probed, not documented.
ICONS = frozenset(
    {"dribbble", "facebook", "github", "google", "instagram", "linkedin", "medium", "pinterest", "snapchat",
     "soundcloud", "tumblr", "twitter", "vimeo", "web", "x", "xing", "youtube"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tag:
    """What a tag may carry. `holds` is "markup" (HTML), "words" (text alone), "rules" (CSS) or "" (only its children)."""

    attributes: frozenset[str]
    children: frozenset[str]
    holds: str


def _tag(attributes: str = "", *, children: str = "", holds: str = "") -> Tag:
    return Tag(frozenset(attributes.split()), frozenset(children.split()), holds)


TAGS: dict[str, Tag] = {
    "mjml": _tag("lang dir owa", children="mj-head mj-body mj-raw"),
    "mj-head": _tag(
        children="mj-attributes mj-breakpoint mj-html-attributes mj-font mj-preview mj-style mj-title mj-raw"
    ),
    "mj-attributes": _tag(),
    "mj-breakpoint": _tag("width"),
    "mj-font": _tag("href name"),
    "mj-preview": _tag(holds="words"),
    "mj-style": _tag("inline", holds="rules"),
    "mj-title": _tag(holds="words"),
    "mj-html-attributes": _tag(children="mj-selector"),
    "mj-selector": _tag("path", children="mj-html-attribute"),
    "mj-html-attribute": _tag("name", holds="words"),
    "mj-body": _tag("background-color width", children="mj-raw mj-section mj-wrapper mj-hero"),
    "mj-wrapper": _tag(f"{_BAND} gap", children="mj-hero mj-raw mj-section"),
    "mj-section": _tag(_BAND, children="mj-column mj-group mj-raw"),
    "mj-group": _tag("background-color direction vertical-align width", children="mj-column mj-raw"),
    "mj-column": _tag(
        f"{_PADDING} {_BORDER} {_INNER_BORDER} background-color border-radius direction inner-background-color"
        " inner-border-radius vertical-align width",
        children=_CONTENT,
    ),
    "mj-hero": _tag(
        f"{_PADDING} {_INNER_PADDING} background-color background-height background-position background-url"
        " background-width border-radius container-background-color height inner-background-color mode vertical-align",
        children=_CONTENT,
    ),
    "mj-text": _tag(
        f"{_PADDING} {_TYPE} align background-color color container-background-color font-style height letter-spacing"
        " line-height text-decoration text-transform vertical-align",
        holds="markup",
    ),
    "mj-button": _tag(
        f"{_PADDING} {_BORDER} {_TYPE} {_LINK} align background-color border-radius color container-background-color"
        " font-style height inner-padding letter-spacing line-height text-align text-decoration text-transform"
        " vertical-align width",
        holds="markup",
    ),
    "mj-image": _tag(
        f"{_PADDING} {_BORDER} {_LINK} align alt border-radius container-background-color fluid-on-mobile font-size"
        " height max-height sizes src srcset usemap width"
    ),
    "mj-divider": _tag(f"{_PADDING} align border-color border-style border-width container-background-color width"),
    "mj-spacer": _tag(f"{_PADDING} {_BORDER} container-background-color height"),
    "mj-table": _tag(
        f"{_PADDING} {_TYPE} align border cellpadding cellspacing color container-background-color line-height role"
        " table-layout vertical-align width",
        holds="markup",
    ),
    "mj-raw": _tag("position", holds="markup"),
    "mj-social": _tag(
        f"{_PADDING} {_TYPE} align border-radius color container-background-color font-style icon-height icon-padding"
        " icon-size inner-padding line-height mode table-layout text-decoration text-padding vertical-align",
        children="mj-social-element mj-raw",
    ),
    "mj-social-element": _tag(
        f"{_PADDING} {_TYPE} {_LINK} align alt background-color border-radius color font-style icon-height"
        " icon-padding icon-position icon-size line-height sizes src srcset text-decoration text-padding"
        " vertical-align",
        holds="markup",
    ),
    "mj-navbar": _tag(
        f"{_PADDING} {_ICO_PADDING} align base-url hamburger ico-align ico-close ico-color ico-font-family"
        " ico-font-size ico-line-height ico-open ico-text-decoration ico-text-transform",
        children="mj-navbar-link mj-raw",
    ),
    "mj-navbar-link": _tag(
        f"{_PADDING} {_TYPE} color font-style href letter-spacing line-height name rel target text-decoration"
        " text-transform",
        holds="markup",
    ),
    "mj-accordion": _tag(f"{_PADDING} {_FOLD} container-background-color", children="mj-accordion-element mj-raw"),
    "mj-accordion-element": _tag(
        f"{_FOLD} background-color", children="mj-accordion-title mj-accordion-text mj-raw"
    ),
    "mj-accordion-title": _tag(f"{_PADDING} {_TYPE} background-color color", holds="markup"),
    "mj-accordion-text": _tag(
        f"{_PADDING} {_TYPE} background-color color letter-spacing line-height", holds="markup"
    ),
    "mj-carousel": _tag(
        f"{_PADDING} align border-radius container-background-color icon-width left-icon right-icon tb-border"
        " tb-border-radius tb-hover-border-color tb-selected-border-color tb-width thumbnails",
        children="mj-carousel-image",
    ),
    "mj-carousel-image": _tag(
        "alt border-radius href rel src target tb-border tb-border-radius thumbnails-src title"
    ),
}  # fmt: skip

#: Inside mj-attributes stand defaults: for every tag, for a class, or for one of the tags above.
DEFAULTS = frozenset({"mj-all", "mj-class"})
ALL_ATTRIBUTES = frozenset[str]().union(*(tag.attributes for tag in TAGS.values()))

_ENUMS = {
    "align": "left|center|right|justify",
    "direction": "ltr|rtl",
    "fluid-on-mobile": "true|false",
    "full-width": "full-width|false",
    "background-repeat": "repeat|no-repeat",
    "hamburger": "hamburger",
    "ico-align": "left|center|right",
    "icon-align": "top|middle|bottom",
    "icon-position": "left|right",
    "inline": "inline",
    "mode": "fixed-height|fluid-height|horizontal|vertical",
    "role": "none|presentation",
    "text-align": "left|center|right",
    "thumbnails": "visible|hidden|supported",
    "vertical-align": "top|bottom|middle",
}
_COLOURS = frozenset(name for name in ALL_ATTRIBUTES if name.endswith("color"))
_LENGTH = r"-?\d+(?:\.\d+)?(?:px|%)|0|auto"
_LENGTHS = rf"(?:{_LENGTH})(?:\s+(?:{_LENGTH})){{0,3}}"
_COLOUR = r"#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})|[a-z]+|(?:rgb|hsl)a?\([\d\s.,%/]+\)|\s*"
_SHAPES: dict[str, re.Pattern[str]] = {
    **{name: re.compile(shape, re.IGNORECASE) for name, shape in _ENUMS.items()},
    **{name: re.compile(_COLOUR, re.IGNORECASE) for name in _COLOURS},
    **dict.fromkeys((name for name in ALL_ATTRIBUTES if "padding" in name), re.compile(_LENGTHS, re.IGNORECASE)),
    **dict.fromkeys(
        ("width", "height", "max-height", "icon-size", "icon-width", "font-size", "border-width", "tb-width"),
        re.compile(_LENGTH, re.IGNORECASE),
    ),
    "line-height": re.compile(rf"{_LENGTH}|\d+(?:\.\d+)?", re.IGNORECASE),
    "letter-spacing": re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:px|em)|0|normal", re.IGNORECASE),
    "cellpadding": re.compile(r"\d+"),
    "cellspacing": re.compile(r"\d+"),
}


def holds_well(attribute: str, value: str) -> bool:
    """Whether `value` is of the kind this attribute takes; an attribute without a kind takes anything."""
    shape = _SHAPES.get(attribute)
    return shape is None or shape.fullmatch(value.strip()) is not None
