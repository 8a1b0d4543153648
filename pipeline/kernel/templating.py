"""Jinja environments: ours for the files in templates/, and the sandboxed one for what editors write."""

from __future__ import annotations

import colorsys
import textwrap
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateSyntaxError,
    nodes,
    select_autoescape,
)
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATES = Path(__file__).parents[2] / "templates"

#: WCAG 2.2 success criterion 1.4.3: text of ordinary size on its ground.
READABLE_RATIO = 4.5
#: Longest template an editor may write, in characters.
LARGEST_SOURCE = 64_000
#: Most turns one loop of an editor's template may take.
LONGEST_LOOP = 500
DEEPEST_LOOP = 2
#: Scripts written from right to left, by the language subtag that implies them (CLDR likely subtags).
RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})

#: What an editor's template may hold. Left out on purpose: calls, assignment, macros, includes and the operators
#: that multiply text (`*`, `**`, `%`, `~`): with those a few short lines fill the memory of a worker.
_EDITABLE_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
)
#: `replace`, `join`, `wordwrap`, `center`, `indent` and `format` are absent: chained, they multiply text.
_EDITABLE_FILTERS = frozenset(
    {"abs", "capitalize", "d", "default", "e", "escape", "first", "int", "last", "length", "lower", "round",
     "striptags", "title", "trim", "truncate", "upper", "urlencode"}
)  # fmt: skip
_EDITABLE_TESTS = frozenset({"defined", "undefined", "none", "eq", "ne", "even", "odd", "in", "string", "number"})


def local(moment: datetime, zone: str) -> datetime:
    """The same instant on the clock of `zone` (IANA name). Raises zoneinfo.ZoneInfoNotFoundError."""
    return moment.astimezone(ZoneInfo(zone))


def clock(moment: datetime, zone: str) -> str:
    """The time of day in `zone` with the zone's abbreviation: 06:30 CET."""
    return local(moment, zone).strftime("%H:%M %Z")


def day(moment: datetime, zone: str) -> str:
    """The English date in `zone`: Monday 23 November 2026."""
    there = local(moment, zone)
    return f"{there:%A} {there.day} {there:%B %Y}"


def direction(language: str) -> str:
    """`rtl` for a language tag (BCP 47) of a right-to-left script, else `ltr`."""
    return "rtl" if language.partition("-")[0].lower() in RIGHT_TO_LEFT else "ltr"


def wrapped(text: str, width: int = 72, indent: str = "") -> str:
    """Plain text folded at `width` columns; a word (or an address) is never cut."""
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: str, ground: str) -> float:
    """Contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(colour), luminance(ground)))
    return (high + 0.05) / (low + 0.05)


def legible(colour: str, ground: str) -> str:
    """`colour` darkened or lightened, hue kept, until it can be read on `ground` (`#rrggbb` both)."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    #: Below this luminance white is the colour with more contrast, and it reaches the ratio; above it black does.
    step = 0.02 if luminance(ground) < 0.18 else -0.02
    for _ in range(51):
        if contrast(colour, ground) >= READABLE_RATIO:
            break
        lightness = min(1.0, max(0.0, lightness + step))
        rgb = colorsys.hls_to_rgb(hue, lightness, saturation)
        colour = "#" + "".join(f"{round(channel * 255):02x}" for channel in rgb)
    return colour


FILTERS: dict[str, Callable[..., Any]] = {
    "clock": clock,
    "day": day,
    "direction": direction,
    "legible": legible,
    "local": local,
    "wrapped": wrapped,
}


@cache
def environment() -> Environment:
    """The environment of mail and social templates over templates/, one per process.

    Markup is escaped; .txt is not, or subjects and text parts would say `&amp;`.
    """
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        auto_reload=False,
        autoescape=select_autoescape(("html", "mjml"), ("txt",), default_for_string=True, default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    return made


class Sandbox(ImmutableSandboxedEnvironment):
    """Templates written by people: values, conditions and short loops, nothing that calls or multiplies.

    Raises jinja2.TemplateSyntaxError for what is not allowed, SecurityError for what turns out to be too much.
    """

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > LARGEST_SOURCE:
            raise TemplateSyntaxError(f"a template may hold {LARGEST_SOURCE} characters", 1, name, filename)
        tree = super()._parse(source, name, filename)
        _inspect(tree, name=name)
        return tree


def _inspect(node: nodes.Node, *, name: str | None, depth: int = 0) -> None:
    """Refuse what is not on the list, and put a bound on every loop."""
    if not isinstance(node, _EDITABLE_NODES):
        raise TemplateSyntaxError(f"{type(node).__name__.lower()} is not allowed here", node.lineno, name)
    if isinstance(node, nodes.For):
        depth += 1
        if depth > DEEPEST_LOOP or node.recursive:
            raise TemplateSyntaxError(f"loops may be {DEEPEST_LOOP} deep", node.lineno, name)
    for child in node.iter_child_nodes():
        _inspect(child, name=name, depth=depth)
    if isinstance(node, nodes.For):
        node.iter = nodes.Filter(node.iter, "_bounded", [], [], None, None, lineno=node.lineno)


def _bounded(values: Any) -> Any:
    if not isinstance(values, (list, tuple)):
        raise SecurityError("a loop needs a list")
    if len(values) > LONGEST_LOOP:
        raise SecurityError(f"a loop may take {LONGEST_LOOP} turns")
    return values


@cache
def sandbox() -> Sandbox:
    """The environment for what editors write: no loader, no globals, filters from a list, output escaped."""
    made = Sandbox(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in _EDITABLE_FILTERS}
    made.filters |= FILTERS | {"_bounded": _bounded}
    made.tests = {name: made.tests[name] for name in _EDITABLE_TESTS}
    return made
