"""Whether text can be read on what it stands on, by day and by night, measured on the letter itself (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from pipeline.editions.content import EditionContent
from pipeline.editions.designs.look import PAPERS, look_of
from pipeline.editions.findings.finding import CONFIRM, NOTE, Finding
from pipeline.kernel.templating import READABLE_RATIO, contrast

#: Large text may have less (WCAG 2.2: from 24 px, or bold from 18.66 px), but what is bold at 24 px is measured alike.
MOST_FINDINGS = 5
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "wbr"}
)
_NIGHT = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}", re.IGNORECASE)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_DECLARATION = re.compile(r"(?:^|;)\s*(background-color|background|color|display)\s*:\s*([^;!]+)", re.IGNORECASE)
_HEX = re.compile(r"#(?:([0-9a-f]{6})|([0-9a-f]{3}))(?![0-9a-f])", re.IGNORECASE)
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.IGNORECASE)
_NAMES = {"white": "#ffffff", "black": "#000000", "red": "#ff0000", "blue": "#0000ff", "green": "#008000",
          "gray": "#808080", "grey": "#808080", "silver": "#c0c0c0", "navy": "#000080", "yellow": "#ffff00"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Paint:
    """What an element inherits: text and ground, by day and by night; None is a colour we cannot tell."""

    colour: str | None = "#000000"
    ground: str | None = "#ffffff"
    night_colour: str | None = "#000000"
    night_ground: str | None = "#ffffff"
    is_hidden: bool = False


@dataclass(slots=True)
class _Night:
    """What the letter's own rules for the dark say of a class, and of tables in an element of a class."""

    of_class: dict[str, dict[str, str]] = field(default_factory=dict)
    of_tables_in: dict[str, dict[str, str]] = field(default_factory=dict)
    of_tag: dict[str, dict[str, str]] = field(default_factory=dict)


def of_colours(markup: str, content: EditionContent) -> Iterator[Finding]:
    """Text that cannot be read where it stands, and an accent that had to be changed."""
    yield from _accent(content)
    reader = _Reader(_rules_of_the_night(markup))
    reader.feed(markup)
    for (mode, colour, ground), (ratio, text) in list(reader.found.items())[:MOST_FINDINGS]:
        params = {"text": text, "colour": colour, "ground": ground, "ratio": f"{ratio:.1f}", "limit": READABLE_RATIO}
        yield Finding(code="low_contrast", level=CONFIRM, where="design", params={**params, "mode": mode})


def _accent(content: EditionContent) -> Iterator[Finding]:
    masthead = content.masthead
    if not _HEX.fullmatch(masthead.accent) or len(masthead.accent) != 7 or masthead.paper not in PAPERS:
        return
    look = look_of(accent=masthead.accent, paper=masthead.paper, typeface="mixed", language="en")
    if look.accent.lower() != masthead.accent.lower():
        params = {"accent": masthead.accent, "printed": look.accent}
        yield Finding(code="accent_changed", level=NOTE, where="masthead", params=params)


def _rules_of_the_night(markup: str) -> _Night:
    night = _Night()
    for sheet in _NIGHT.findall(markup):
        for names, rules in _RULE.findall(sheet):
            said = {name.lower(): value for name, value in _DECLARATION.findall(rules)}
            for name in (each.strip() for each in names.split(",")):
                if name.startswith(".") and name.endswith(" table"):
                    night.of_tables_in.setdefault(name[1:-6].strip(), {}).update(said)
                elif name.startswith("."):
                    night.of_class.setdefault(name[1:], {}).update(said)
                else:
                    night.of_tag.setdefault(name, {}).update(said)
    return night


class _Reader(HTMLParser):
    """Reads a letter as a client without Outlook's comments does, and remembers each pair that is too close."""

    def __init__(self, night: _Night) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[tuple[str, str, str], tuple[float, str]] = {}
        self._night = night
        self._open: list[tuple[str, _Paint, dict[str, str]]] = []

    @property
    def _now(self) -> tuple[_Paint, dict[str, str]]:
        return self._open[-1][1:] if self._open else (_Paint(), {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        given = {name: value or "" for name, value in attrs}
        paint, tables = self._now
        names = given.get("class", "").split()
        tables = {**tables, **{k: v for name in names for k, v in self._night.of_tables_in.get(name, {}).items()}}
        said = {name.lower(): value.strip() for name, value in _DECLARATION.findall(given.get("style", ""))}
        if "bgcolor" in given:
            said.setdefault("background-color", given["bgcolor"])
        by_night = dict(said)
        for rules in (self._night.of_tag.get(tag, {}), tables if tag == "table" else {}):
            by_night.update(rules)
        for name in names:
            by_night.update(self._night.of_class.get(name, {}))
        if len(self._open) < 1_000:
            self._open.append((tag, _painted(paint, said, by_night, tag=tag), tables))

    def handle_endtag(self, tag: str) -> None:
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == tag:
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        paint, _ = self._now
        if paint.is_hidden or not any(letter.isalnum() for letter in text):
            return
        self._measure("by day", paint.colour, paint.ground, text)
        self._measure("in the dark", paint.night_colour, paint.night_ground, text)

    def _measure(self, mode: str, colour: str | None, ground: str | None, text: str) -> None:
        if colour and ground and (ratio := contrast(colour, ground)) < READABLE_RATIO:
            self.found.setdefault((mode, colour, ground), (ratio, text[:40]))


def _painted(paint: _Paint, said: dict[str, str], by_night: dict[str, str], *, tag: str) -> _Paint:
    hidden = paint.is_hidden or tag in {"style", "title", "script", "head"} or said.get("display") == "none"
    return replace(
        paint,
        colour=_colour(said, inherited=paint.colour),
        ground=_ground(said, inherited=paint.ground),
        night_colour=_colour(by_night, inherited=paint.night_colour),
        night_ground=_ground(by_night, inherited=paint.night_ground),
        is_hidden=hidden,
    )


def _colour(said: dict[str, str], *, inherited: str | None) -> str | None:
    value = said.get("color", "inherit").strip().lower()
    return inherited if value in {"inherit", ""} else _read(value)


def _ground(said: dict[str, str], *, inherited: str | None) -> str | None:
    """A picture under the text makes its ground a matter of taste, which is not ours to judge."""
    value = (said.get("background-color") or said.get("background") or "transparent").strip().lower()
    if value in {"transparent", "inherit", "none"}:
        return inherited
    return None if "url(" in said.get("background", "").lower() else _read(value)


def _read(value: str) -> str | None:
    """`#rrggbb` of the first colour in a value, None where there is none we know."""
    if found := _HEX.search(value):
        return f"#{found[1] or ''.join(letter * 2 for letter in found[2])}".lower()
    if found := _RGB.search(value):
        return "#" + "".join(f"{min(int(part), 255):02x}" for part in found.groups())
    return _NAMES.get(value.split(" ", maxsplit=1)[0])
