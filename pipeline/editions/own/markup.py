"""A source cut into tags, text and template statements, each with its offset; Jinja is put out of the way first."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

#: Stands for every character of a value, a statement or a template comment: of the source's length, and no markup.
HIDDEN = "\ue000"
#: Elements without content (WHATWG HTML 13.1.2), which mrml closes by itself.
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
     "wbr"}
)  # fmt: skip

_JINJA = re.compile(
    r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}|\{#.*?#\}"
    r"|\{\{(?:\"(?:\\.|[^\"\\])*+\"|'(?:\\.|[^'\\])*+'|[^\"'}]|\}(?!\}))*+\}\}"
    r"|\{%[-+]?\s*(?P<word>\w*)(?:\"(?:\\.|[^\"\\])*+\"|'(?:\\.|[^'\\])*+'|[^\"'%]|%(?!\}))*+%\}",
    re.DOTALL,
)
_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]*)((?:\"[^\"]*+\"|'[^']*+'|[^\"'<>])*+)>")
_NAME = re.compile(r"</?([A-Za-z][\w:.-]*)")
_ATTRIBUTE = re.compile(rf"([^\s{HIDDEN}=/\"']+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>{HIDDEN}]+|{HIDDEN}+)))?")
#: mrml reads what stands in these as if they were not there.
_CONDITIONAL = re.compile(r"<!--\[if [^\]<>]*\]>(?:<!-->)?|<!\[endif\]-->|<!--<!\[endif\]-->")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`at` is where its name stands in the source. Without quotation marks `quoted` is False."""

    name: str
    value: str
    at: int
    quoted: bool = True

    @property
    def is_known(self) -> bool:
        """Whether the whole value stands in the source, without a template's."""
        return HIDDEN not in self.value


@dataclass(frozen=True, slots=True)
class Tag:
    """`closes` for </name>, `is_alone` for <name/>."""

    at: int
    name: str
    closes: bool
    is_alone: bool
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between tags, blanks and hidden template included."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A template's {% word … %}."""

    at: int
    word: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What cannot be read: `code` is a problem's; what follows a fault that ends everything is not looked at."""

    at: int
    code: str
    text: str = ""


Event = Tag | Text | Statement | Fault


class Places:
    """From offsets to lines and columns, both from 1."""

    def __init__(self, source: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", source))]

    def of(self, at: int) -> tuple[int, int]:
        """The line and column of an offset."""
        line = bisect_right(self._starts, at)
        return line, at - self._starts[line - 1] + 1

    def at(self, line: int) -> int:
        """The offset at which a line begins; the last line's for one that is not there."""
        return self._starts[min(max(line, 1), len(self._starts)) - 1]


def hidden(source: str) -> str:
    """The source with its Jinja made invisible, every offset and line kept. Its Jinja must be well-formed."""
    return _JINJA.sub(lambda found: re.sub(r"[^\n]", HIDDEN, found[0]), source)


def events(source: str, *, is_template: bool) -> Iterator[Event]:
    """What the source is made of, in its order; statements inside a tag are part of the tag."""
    markup = hidden(source) if is_template else source
    statements = list(_statements(source)) if is_template else []
    for event in _markup(markup):
        end = event.at
        while statements and statements[0].at < end:
            yield statements.pop(0)
        yield event
        if isinstance(event, Tag):
            inside = _TAG.match(markup, event.at)
            while inside and statements and statements[0].at < inside.end():
                statements.pop(0)
    yield from statements


def _statements(source: str) -> Iterator[Statement]:
    for found in _JINJA.finditer(source):
        if found["word"]:
            yield Statement(found.start(), found["word"])


def _markup(markup: str) -> Iterator[Event]:
    at = 0
    while at < len(markup):
        bracket = markup.find("<", at)
        end = bracket if bracket >= 0 else len(markup)
        if end > at:
            yield Text(at, markup[at:end])
        if bracket < 0:
            return
        event, at = _bracketed(markup, bracket)
        if event is not None:
            yield event


def _bracketed(markup: str, at: int) -> tuple[Event | None, int]:
    """What begins with this "<", and where the next thing begins."""
    if found := _CONDITIONAL.match(markup, at):
        return None, found.end()
    if markup.startswith(("<!", "<?"), at):
        return _comment(markup, at)
    if found := _TAG.match(markup, at):
        return _tag(found), found.end()
    if found := _NAME.match(markup, at):
        return Fault(at, "broken_tag", found[1]), found.end()
    return Fault(at, "bare_bracket"), at + 1


def _comment(markup: str, at: int) -> tuple[Event | None, int]:
    if markup.startswith("<!--", at):
        end = markup.find("-->", at + 4)
        if end < 0:
            return Fault(at, "broken_comment"), len(markup)
        body = markup[at + 4 : end]
        is_broken = "--" in body or body.startswith(">") or body.endswith("-")
        return (Fault(at, "broken_comment") if is_broken else None), end + 3
    return Fault(at, "declaration", markup[at : at + 12].partition("\n")[0]), at + 2


def _tag(found: re.Match[str]) -> Tag:
    inside, start = found[3], found.start(3)
    attributes = tuple(
        Attribute(
            name=each[1],
            value=next((value for value in each.groups()[1:] if value is not None), ""),
            at=start + each.start(),
            quoted=each[4] is None,
        )
        for each in _ATTRIBUTE.finditer(inside)
    )
    return Tag(
        found.start(), found[2], closes=bool(found[1]), is_alone=inside.rstrip().endswith("/"), attributes=attributes
    )
