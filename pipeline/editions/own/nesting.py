"""What stands in what: every element closed where it was opened, every tag where MJML allows it, no branch torn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pipeline.editions.own import safety
from pipeline.editions.own.markup import HIDDEN, VOID, Attribute, Event, Fault, Statement, Tag, Text
from pipeline.editions.own.problems import ERROR, WARNING
from pipeline.editions.own.safety import Said
from pipeline.editions.own.tags import (
    ALL_ATTRIBUTES,
    DEFAULTS,
    EVERYWHERE,
    ICONS,
    NOT_COMPILED,
    TAGS,
    holds_well,
)

#: mrml and what reads its output nest as deep as the markup does, and end the process where the stack does.
DEEPEST = 100
_OPENS, _TURNS, _ENDS = frozenset({"if", "for"}), frozenset({"elif", "else"}), frozenset({"endif", "endfor"})
#: Where a block may begin: what lies between two such places can be moved.
_BETWEEN_SECTIONS = frozenset({("mj-body", "mj-raw"), ("mj-wrapper", "mj-raw")})
#: What an element is called where there is none.
_NOTHING = "nothing"


@dataclass(slots=True)
class _Element:
    name: str
    at: int


@dataclass(slots=True)
class _Branch:
    word: str
    at: int
    depth: int


@dataclass(slots=True)
class Nesting:
    """A source while it is being read. Ask `of` for each event in turn, then `end` once."""

    open: list[_Element] = field(default_factory=list)
    branches: list[_Branch] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    is_over: bool = False
    is_too_deep: bool = False  #: nothing after this is worth saying

    @property
    def parent(self) -> str:
        """The innermost element that is open."""
        return self.open[-1].name if self.open else ""

    @property
    def holder(self) -> str:
        """The innermost MJML element that is open."""
        return next((one.name for one in reversed(self.open) if one.name in TAGS or one.name in DEFAULTS), "")

    def of(self, event: Event) -> Iterator[Said]:
        """What is wrong with this event where it stands."""
        match event:
            case Fault():
                yield event.at, ERROR, event.code, {"text": event.text, "name": event.text}
            case Text():
                yield from self._text(event)
            case Statement():
                yield from self._statement(event)
            case Tag(closes=True):
                yield from self._closed(event)
            case Tag():
                yield from self._opened(event)

    def end(self, at: int) -> Iterator[Said]:
        """What is wrong with the whole: elements left open, no body."""
        for element in self.open:
            yield element.at, ERROR, "unclosed", {"name": element.name}
        if not {"mjml", "mj-body"} <= self.seen:
            yield at, ERROR, "no_body", {}

    def _inside(self) -> tuple[str, ...]:
        return tuple(element.name for element in self.open[-2:])

    def _text(self, event: Text) -> Iterator[Said]:
        said = event.text.replace(HIDDEN, " ").strip()
        if not said:
            return
        at = event.at + next(n for n, letter in enumerate(event.text) if not (letter.isspace() or letter == HIDDEN))
        if not self.open:
            yield at, ERROR, "outside_root", {}
        elif self.parent in TAGS and not TAGS[self.parent].holds:
            yield at, ERROR, "text_outside", {"parent": self.parent}
        elif (end := _panics(event, in_rules=self.parent in {"mj-style", "style"})) is not None:
            yield end, ERROR, "bare_end", {}
        elif "[[dl:b" in said and self._inside() not in _BETWEEN_SECTIONS:
            yield event.at + event.text.index("[[dl:b"), ERROR, "misplaced_marker", {}
        elif self.parent in {"mj-style", "style"}:
            yield from safety.of_rules(said, at=at)

    def _statement(self, event: Statement) -> Iterator[Said]:
        """A branch leaves as many elements open as it found: whatever is chosen, the whole is well-formed."""
        if event.word in _OPENS:
            self.branches.append(_Branch(event.word, event.at, len(self.open)))
        elif event.word in _TURNS | _ENDS and self.branches:
            branch = self.branches[-1]
            for element in self.open[branch.depth :]:
                yield element.at, ERROR, "torn_branch", {"word": branch.word, "name": element.name}
            del self.open[branch.depth :]
            if event.word in _ENDS:
                self.branches.pop()

    def _closed(self, tag: Tag) -> Iterator[Said]:
        name = tag.name
        floor = self.branches[-1].depth if self.branches else 0
        at = next((n for n in range(len(self.open) - 1, -1, -1) if self.open[n].name == name), -1)
        if at < 0 or name in VOID:
            yield tag.at, ERROR, "closes_nothing", {"name": name[:40]}
        elif at < floor:
            yield tag.at, ERROR, "torn_branch", {"word": self.branches[-1].word, "name": f"/{name}"}
        else:
            for element in self.open[at + 1 :]:
                yield element.at, ERROR, "unclosed", {"name": element.name}
            del self.open[at:]
            self.is_over = not self.open

    def _opened(self, tag: Tag) -> Iterator[Said]:
        name = tag.name
        yield from self._place(tag)
        if name in TAGS or name in DEFAULTS:
            yield from _attributes(tag, holder=self.holder)
        for attribute in tag.attributes:
            if not attribute.quoted:
                yield attribute.at, ERROR, "unquoted", {"attribute": attribute.name[:40]}
        yield from safety.of_tag(tag)
        if name == "style" and "mj-head" not in {element.name for element in self.open}:
            yield tag.at, ERROR, "forbidden_tag", {"name": name}
        self.seen.add(name)
        if tag.is_alone or name in VOID:
            return
        if len(self.open) >= DEEPEST:
            self.is_too_deep = True
            yield tag.at, ERROR, "too_deep", {}
        self.open.append(_Element(name, tag.at))

    def _place(self, tag: Tag) -> Iterator[Said]:
        name, parent = tag.name, self.parent or _NOTHING
        if name == "mj-include":
            yield tag.at, ERROR, "include", {}
        elif not self.open:
            if name != "mjml" or self.is_over:
                yield tag.at, ERROR, "outside_root", {}
        elif parent == "mj-attributes":
            if name not in TAGS and name not in DEFAULTS:
                yield tag.at, ERROR, "unknown_tag", {"name": name[:40], "hint": _hint(name, [*TAGS, *DEFAULTS])}
        elif self.holder in DEFAULTS:
            yield tag.at, ERROR, "class_children", {}
        elif name.lower().startswith("mj"):
            yield from self._tag_of_ours(tag, parent)
        elif parent in TAGS and TAGS[parent].holds != "markup":
            code = "no_markup_here" if TAGS[parent].holds else "html_outside"
            yield tag.at, ERROR, code, {"name": name[:40], "parent": parent}

    def _tag_of_ours(self, tag: Tag, parent: str) -> Iterator[Said]:
        name = tag.name
        if name not in TAGS:
            yield tag.at, ERROR, "unknown_tag", {"name": name[:40], "hint": _hint(name, TAGS)}
        elif name in NOT_COMPILED:
            yield tag.at, ERROR, "html_attributes", {"name": name}
        elif name == "mj-raw" and parent == "mjml":
            yield tag.at, ERROR, "file_start", {}
        elif parent not in TAGS or name not in TAGS[parent].children:
            belongs = ", ".join(sorted(other for other, each in TAGS.items() if name in each.children)) or _NOTHING
            yield tag.at, ERROR, "misplaced", {"name": name, "parent": parent[:40], "belongs": belongs}


def _panics(event: Text, *, in_rules: bool) -> int | None:
    """Where a ">" stands that mrml's parser may stumble over: it looks two bytes back, into the middle of a letter."""
    for found in re.finditer(">", event.text):
        if not in_rules or not event.text[max(found.start() - 2, 0) : found.start()].isascii():
            return event.at + found.start()
    return None


def _hint(name: str, known: Any) -> str:
    near = get_close_matches(name.lower(), list(known), n=1, cutoff=0.7)
    return f" Did you mean {near[0]}?" if near else ""


def _attributes(tag: Tag, *, holder: str) -> Iterator[Said]:
    allowed = _allowed(tag.name, holder=holder)
    for attribute in tag.attributes:
        if attribute.name not in allowed:
            hint = _hint(attribute.name, allowed)
            params = {"tag": tag.name, "attribute": attribute.name[:40], "hint": hint}
            yield attribute.at, ERROR, "unknown_attribute", params
        elif attribute.is_known and not holds_well(attribute.name, attribute.value):
            params = {"attribute": attribute.name, "value": attribute.value[:40]}
            yield attribute.at, WARNING, "odd_value", params
    if holder != "mj-attributes":
        yield from _gaps(tag)


def _allowed(name: str, *, holder: str) -> frozenset[str]:
    if name in DEFAULTS:
        return ALL_ATTRIBUTES | EVERYWHERE | {"name"}
    return TAGS[name].attributes | (
        EVERYWHERE if name not in {"mjml", "mj-head"} or holder == "mj-attributes" else frozenset()
    )


def _gaps(tag: Tag) -> Iterator[Said]:
    """What mrml does otherwise than the reference compiler, or in silence (the email reference, A1)."""
    given: dict[str, Attribute] = {attribute.name: attribute for attribute in tag.attributes}
    if tag.name == "mj-hero" and "mode" in given and given["mode"].value.strip() == "fluid-height":
        yield given["mode"].at, ERROR, "hero_fluid", {}
    if tag.name == "mj-wrapper" and "gap" in given:
        yield given["gap"].at, WARNING, "wrapper_gap", {}
    if tag.name in {"mj-image", "mj-carousel-image"} and "alt" not in given:
        yield tag.at, WARNING, "no_alt", {}
    if tag.name == "mj-social-element" and "src" not in given and "name" in given and given["name"].is_known:
        name = given["name"].value.strip()
        code = "foreign_icon" if name.removesuffix("-noshare") in ICONS else "no_icon"
        yield tag.at, WARNING, code, {"name": name[:40]}
