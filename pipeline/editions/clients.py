"""What mail clients understand of HTML and CSS, and what happens where one does not: our own table of caniemail's facts.

Looked up in November 2026; each of its tests has a date of its own, most between 2019 and 2024. The plain features that
every client has, and the letters under "our own judgement", were not looked up or are not listed there. A fallback is
what a reader sees instead, and who sees to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

CHECKED = "2026-11"
#: The clients newsrooms' readers use, in the order of the letters below. New Outlook for Windows is Outlook.com inside.
CLIENTS = (
    "Gmail on the web", "Gmail app", "Apple Mail", "Outlook for Windows (classic)", "Outlook.com and new Outlook",
    "Outlook for Mac", "Yahoo Mail", "Samsung Email",
)  # fmt: skip
#: A design is judged against these; the others are told.
FIRST = CLIENTS[:6]


@dataclass(frozen=True, slots=True)
class Feature:
    """Support by client: y yes, a partly, n no, u unknown."""

    support: str
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A feature a letter uses and some clients lack. Without a `fallback` their readers see something broken."""

    feature: str
    clients: tuple[str, ...]
    fallback: str


_EVERYWHERE = Feature("yyyyyyyy")
_NIGHT = "every colour is written for day, none is pure black or white, and forced inversion leaves them readable"
_WHOLE = "the picture is shown whole instead of cut to size"
_ARIA = "it is read out without the hint; the text says the same"
_SOUND = (
    "background-color border border-bottom border-collapse border-color border-left border-right border-top color direction "
    "font-family font-size font-style font-weight padding-bottom padding-left padding-right padding-top text-align "
    "text-decoration vertical-align"
)
_PLAIN = "a b body br center div em h1 h2 h3 h4 head hr html i img li meta ol p small span strong style sub sup table tbody td th thead title tr u ul"

FEATURES: dict[str, Feature] = {
    **{f"css {name}": _EVERYWHERE for name in _SOUND.split()},
    **{f"html {name}": _EVERYWHERE for name in _PLAIN.split()},
    # letters by client: Gmail web, app, Apple, Outlook classic, .com, Mac, Yahoo, Samsung
    "css background-image": Feature("yyynyyay", "background-color, which every client paints"),
    "css linear-gradient()": Feature("yyynnnna", "background-color, which every client paints"),
    "css border-radius": Feature("yyynyyyy", "square corners"),
    "css color-scheme": Feature("nnynnnny", _NIGHT),
    "css display:block": Feature("yyynyyyy", "pictures stand alone in their cell or line"),
    "css display:inline-block": Feature("yyynyyyy", "columns are cells of a table in comments for Outlook"),
    "css display:none": Feature("yyynyyyy", "mso-hide:all beside it"),
    "css height": Feature("yyyayyny", "the height attribute, or a line-height of the same size"),
    "css max-height": Feature("yyynyyyy", _WHOLE),
    "css max-width": Feature("yyynyyyy", "the width attribute"),
    "css outline": Feature("yyynyyyy", "no outline is drawn"),
    "css overflow": Feature("yyynyyyy", _WHOLE),
    "css white-space": Feature("yaynyyan", "the nowrap attribute of its cell"),
    "css word-break": Feature("yaauayna", "a word too long for its line widens its column"),
    "@media": Feature("aaynayay", "fluid tables: a narrow screen gets larger headlines, and scrolls nothing"),
    "@media prefers-color-scheme": Feature("nnynyynn", _NIGHT),
    "selector [attribute]": Feature("nnynaaay", "only Outlook's own dark mode is spoken to"),
    "selector :hover": Feature("yaynayyy", "links do not change under the pointer"),
    "html role": Feature("yyyyyyny", _ARIA),
    "html lang": Feature("yyyuyyay", "it is read out in the reader's own voice"),
    "html aria-hidden": Feature("yyyyyyny", _ARIA),
    "html meta color-scheme": Feature("nnannnnn", _NIGHT),
    "css background": Feature("yyyayyay"), "css display": Feature("yayayyay"), "css font": Feature("yayyyyyy"),
    "css letter-spacing": Feature("yyyayyyy"),
    "css line-height": Feature("yyyayyyy"), "css margin": Feature("aayaaayy"), "css padding": Feature("yyyayyyy"),
    "css text-transform": Feature("yyyayyyy"),
    "css width": Feature("yyyayyyy"), "css aspect-ratio": Feature("nnunnunu"),
    "css background-size": Feature("yaynyyyy"),
    "css box-shadow": Feature("naynyyny"), "css display:flex": Feature("yaynyyyy"),
    "css display:grid": Feature("nnynyyny"),
    "css float": Feature("yyynyyyy"), "css gap": Feature("aaynaany"), "css object-fit": Feature("yaynyyny"),
    "css opacity": Feature("yyynyyny"),
    "css position": Feature("nnanayaa"), "css transform": Feature("nnynnyny"), "css var()": Feature("nnynnyny"),
    "css calc()": Feature("yaynnyny"),
    "@font-face": Feature("nnyanyny"), "@supports": Feature("nnynnyyy"), "html dir": Feature("yyyayyyy"),
    # our own judgement
    "css supported-color-schemes": Feature("nnynnnnn", _NIGHT),
    "css cursor": Feature("yyynyyyy", "the usual pointer"),
    "css font-variant": Feature("yyyuyyyy", "ordinary letters"),
    "css word-spacing": Feature("yyyuyyyy", "words stand as usual"),
    "selector :root": Feature("nnynnyny", _NIGHT),
    "html <style media>": Feature("nnynnyny", "it speaks to Thunderbird alone"),
    "html aria-label": Feature("yyyyyyny", _ARIA),
    "html aria-roledescription": Feature("uuyuuuny", _ARIA),
    "html tabindex": Feature("uuyuuuny", "the keyboard stops at one link more"),
    "html bdi": Feature("uuyuuyuy", "direction attributes on the paragraph around it"),
    "html meta supported-color-schemes": Feature("nnynnnnn", _NIGHT),
    "css animation": Feature("nnynnyny"), "css clip-path": Feature("nnynnyny"), "css filter": Feature("nnynnyny"),
    "@import": Feature("nnynnyny"),
    "@keyframes": Feature("nnynnyny"), "html audio": Feature("nnynnyny"), "html button": Feature("yyyayyyy"),
    "html form": Feature("aayaaaay"),
    "html iframe": Feature("nnnnnnnn"), "html input": Feature("nnynnyny"), "html picture": Feature("nnynnyny"),
    "html script": Feature("nnnnnnnn"),
    "html svg": Feature("nnynnyny"), "html video": Feature("nnynnyny"),
}  # fmt: skip

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_STYLE = re.compile(r"<style\b([^>]*)>(.*?)</style>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<([a-zA-Z][\w:-]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE = re.compile(r"\s([a-zA-Z][\w:-]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+)))?")
_PROPERTY = re.compile(r"(?:^|[;{])\s*([a-zA-Z][a-zA-Z-]*)\s*:\s*([^;{}]*)")
_AT = re.compile(r"@(font-face|import|keyframes|media|supports)\b")
_FUNCTION = re.compile(r"\b(linear-gradient|var|calc)\(")
_DISPLAYS = frozenset({"block", "inline-block", "none", "flex", "grid"})
_TOLD_ATTRIBUTES = frozenset({"role", "lang", "dir", "tabindex"})


def unsupported(html: str) -> tuple[Unsupported, ...]:
    """What `html` uses and some client of the table lacks, by name; what the table does not know, everybody lacks."""
    found = []
    for name in sorted(set(_used(html))):
        feature = FEATURES.get(name, Feature("u" * len(CLIENTS)))
        lacking = tuple(client for client, letter in zip(CLIENTS, feature.support, strict=True) if letter in "nu")
        if lacking:
            found.append(Unsupported(feature=name, clients=lacking, fallback=feature.fallback))
    return tuple(found)


def _used(html: str) -> Iterator[str]:
    """Names of features as the table has them. Comments are Outlook's own, and so are properties with its prefix."""
    html = _COMMENT.sub("", html)
    for attributes, sheet in _STYLE.findall(html):
        yield from _of_sheet(sheet)
        if "media" in attributes:
            yield "html <style media>"
    for tag, attributes in _TAG.findall(_STYLE.sub("", html)):
        yield f"html {tag.lower()}"
        for name, *values in _ATTRIBUTE.findall(attributes):
            value = "".join(values)
            if name == "style":
                yield from _of_rules(value)
            elif name in _TOLD_ATTRIBUTES or name.startswith("aria-"):
                yield f"html {name}"
            elif name == "name" and value.endswith(("color-scheme", "color-schemes")):
                yield f"html meta {value}"


def _of_sheet(sheet: str) -> Iterator[str]:
    for name in _AT.findall(sheet):
        yield f"@{name}"
    selectors = re.sub(r"\{[^{}]*\}", "{}", sheet)
    told = {
        "@media prefers-color-scheme": "prefers-color-scheme",
        "selector [attribute]": "[",
        "selector :hover": ":hover",
        "selector :root": ":root",
    }
    yield from (name for name, mark in told.items() if mark in selectors)
    for rules in re.findall(r"\{([^{}]*)\}", sheet):
        yield from _of_rules(rules)


def _of_rules(rules: str) -> Iterator[str]:
    for name, value in _PROPERTY.findall(rules):
        if name.startswith("mso-"):
            continue
        yield f"css {name.lower()}"
        if name == "display" and (kind := value.partition("!")[0].strip()) in _DISPLAYS:
            yield f"css display:{kind}"
        for function in _FUNCTION.findall(value):
            yield f"css {function}()"
