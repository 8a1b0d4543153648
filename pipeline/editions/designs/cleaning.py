"""What newsrooms write, made fit to print: no control characters, no blank of ours, settings that can stand in markup."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, TypeVar

from pipeline.editions.content import Masthead
from pipeline.editions.designs.look import DEFAULT_PAPER, DEFAULT_TYPEFACE, PAPERS, TYPEFACES
from pipeline.editions.rendered import OPENING

DEFAULT_ACCENT = "#9b1c2e"
#: Longest text a field keeps, in characters: a newsroom's mistake is not a megabyte in every reader's mailbox.
LONGEST_FIELD = 2_000

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
#: Any of what tidying would change: one search answers for nearly every field.
_UNTIDY = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|\s\s|[^\S ]|\A\s|\s\Z|\[\[dl:")
_BLANKS = re.compile(r"\s+")
_WEB = re.compile(r"https?://[^\s\"<>]+", re.IGNORECASE)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
#: Fields in which line ends mean something.
_MANY_LINES = frozenset({"note", "postal_address"})
#: Fields that are wrong when they are cut; preflight weighs them.
_WHOLE = frozenset({"url", "home_url", "logo_url", "link", "note", "postal_address"})

Shape = TypeVar("Shape")


def is_web(url: str) -> bool:
    """Whether `url` can be a destination or a picture's address."""
    return _WEB.fullmatch(url) is not None


def is_language(tag: str) -> bool:
    """Whether `tag` may stand in a lang attribute (BCP 47, as far as newsrooms use it)."""
    return _LANGUAGE.fullmatch(tag) is not None


def line(text: str) -> str:
    """`text` on one line, its blanks single."""
    return _BLANKS.sub(" ", text).strip()


def clean(value: Shape, *, field: str = "") -> Shape:
    """The same shape with every string made fit to print."""
    cleaned: Any = value
    if isinstance(value, str):
        cleaned = _text(value if field in _WHOLE else value[: 2 * LONGEST_FIELD], lines=field in _MANY_LINES)
        if len(cleaned) > LONGEST_FIELD and field not in _WHOLE:
            cleaned = cleaned[: LONGEST_FIELD - 1].rstrip() + "…"
    elif isinstance(value, tuple | list):
        cleaned = type(value)(clean(part, field=field) for part in value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (each.name for each in dataclasses.fields(value))
        cleaned = dataclasses.replace(value, **{name: clean(getattr(value, name), field=name) for name in names})
    if isinstance(cleaned, Masthead):
        cleaned = _settled(cleaned)
    settled: Shape = cleaned
    return settled


def _text(text: str, *, lines: bool) -> str:
    """What is left of hostile text: no control characters (mrml refuses them), no blank of ours, tidy spaces."""
    if not _UNTIDY.search(text):
        return text
    text = _NOT_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).replace(OPENING, "[[ dl:")
    return "\n".join(line(part) for part in text.split("\n")).strip() if lines else line(text)


def _settled(masthead: Masthead) -> Masthead:
    """A masthead whose colour, type, language and direction can stand in an attribute."""
    return dataclasses.replace(
        masthead,
        accent=masthead.accent if _COLOUR.fullmatch(masthead.accent) else DEFAULT_ACCENT,
        paper=masthead.paper if masthead.paper in PAPERS else DEFAULT_PAPER,
        typeface=masthead.typeface if masthead.typeface in TYPEFACES else DEFAULT_TYPEFACE,
        language=masthead.language if is_language(masthead.language) else "en",
        direction="rtl" if masthead.direction == "rtl" else "ltr",
        logo_url=masthead.logo_url if is_web(masthead.logo_url) else "",
    )
