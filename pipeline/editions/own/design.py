"""An editor's own design: everything wrong with it before it meets readers, and an edition rendered in it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from jinja2 import TemplateSyntaxError

from pipeline.editions.content import EditionContent
from pipeline.editions.designs.cleaning import clean
from pipeline.editions.designs.compiling import UnusableTemplate, compiled
from pipeline.editions.own.markup import HIDDEN, Places, events, hidden
from pipeline.editions.own.nesting import Nesting
from pipeline.editions.own.problems import ERROR, WARNING, Problem, placed_sentence
from pipeline.editions.own.safety import Said
from pipeline.editions.own.sample import BARE, FULL
from pipeline.editions.own.sandbox import Stopped, expanded, plain
from pipeline.editions.render import number_strays, render, values_of
from pipeline.editions.rendered import LinkTable, Rendered
from pipeline.kernel.templating import LARGEST_SOURCE, sandbox

MOST_PROBLEMS = 50

_MARKS = ("leave", "prefs", "view", "why", "open", "name", "bN")
_MARK = re.compile(r"\[\[dl:([^\]]{0,40})\]?\]?")
_GOOD_MARK = re.compile(rf"open|leave|prefs|view|why|name|b(?:\d+|{HIDDEN}+)")
_FONT = re.compile(r"<link\b[^>]*\bhref=\"https?://([^/\"]+)", re.IGNORECASE)


def lint(source: str) -> tuple[Problem, ...]:
    """What is wrong with an editor's design, errors and warnings, in the order of its lines. Never raises."""
    if len(source) > LARGEST_SOURCE:
        return (Problem(1, 1, ERROR, "too_long", {"length": len(source), "limit": LARGEST_SOURCE}),)
    if (problem := _unreadable(source)) is not None:
        return (problem,)
    found = list(written(source))
    if not any(problem.level == ERROR for problem in found):
        found += _tried(source)
    ordered = sorted(dict.fromkeys(_Key(each) for each in found), key=_Key.place)
    return _first(each.problem for each in ordered)


def render_own(source: str, content: EditionContent, *, origin_links: LinkTable, honeypot: bool = True) -> Rendered:
    """The edition in an editor's design, with the values and on the way of the shipped ones.

    Its text part, subject and preview line are those of the masthead's design. Raises UnusableTemplate with the line,
    and whatever else `render` raises of the masthead's design.
    """
    values = values_for(content, links=origin_links, honeypot=honeypot)
    try:
        made = expanded(source, values=values)
    except Stopped as stopped:
        raise UnusableTemplate(placed_sentence(stopped.problem)) from stopped
    for problem in written(made, is_template=False):
        if problem.level == ERROR:
            raise UnusableTemplate(f"What the design comes to: {placed_sentence(problem)}")
    markup = number_strays(_compiled(made), links=origin_links)
    shipped = render(content, origin_links=origin_links, honeypot=honeypot)
    return replace(shipped, html=markup, links=origin_links.links())


def _compiled(made: str) -> str:
    """The HTML. Where the compiler panics instead of failing, that is a design that cannot be used, and no more."""
    try:
        return compiled(made)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise UnusableTemplate("the compiler gave up on this design") from None


class _Key:
    """A problem that can be told apart from another, whatever its parameters hold."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._whole = (problem.line, problem.column, problem.code, tuple(sorted(problem.params.items())))

    def place(self) -> tuple[int, int]:
        return self.problem.line, self.problem.column

    def __hash__(self) -> int:
        return hash(self._whole[:3])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._whole == other._whole


def _first(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    found = tuple(problems)
    if len(found) <= MOST_PROBLEMS:
        return found
    last = found[MOST_PROBLEMS - 1]
    left = len(found) - MOST_PROBLEMS + 1
    level = ERROR if any(each.level == ERROR for each in found) else WARNING
    return (*found[: MOST_PROBLEMS - 1], Problem(last.line, last.column, level, "more", {"count": left}))


def _unreadable(source: str) -> Problem | None:
    """What keeps Jinja from reading it at all; nothing else can be said before."""
    try:
        sandbox().parse(source)
    except TemplateSyntaxError as error:
        return Problem(error.lineno, 1, ERROR, "syntax", {"said": str(error.message).rstrip(".")[:200]})
    except Exception as error:  # a parser pushed past its depth, a number past its digits: theirs to mend
        code = "too_deep" if isinstance(error, RecursionError | MemoryError | SyntaxError) else "failed"
        return Problem(1, 1, ERROR, code, {"said": str(error)[:200]})
    return None


def written(source: str, *, is_template: bool = True) -> Iterator[Problem]:
    """What is wrong with MJML as it is written; with `is_template` its Jinja is allowed for, and must be well-formed."""
    places, nesting = Places(source), Nesting()
    for said in _said(source, nesting, is_template=is_template):
        at, level, code, params = said
        line, column = places.of(at)
        yield Problem(line, column, level, code, params)


def _said(source: str, nesting: Nesting, *, is_template: bool) -> Iterator[Said]:
    for event in events(source, is_template=is_template):
        yield from nesting.of(event)
        if nesting.is_too_deep:
            return
    yield from nesting.end(max(len(source) - 1, 0))
    yield from _marks(hidden(source) if is_template else source, written_clicks=not is_template)


def _marks(markup: str, *, written_clicks: bool) -> Iterator[Said]:
    """Marks that are none: they would stay in what readers get. Numbers of links are given, never written."""
    for found in _MARK.finditer(markup):
        good = _GOOD_MARK.fullmatch(found[1]) or (written_clicks and re.fullmatch(r"c\d{1,5}", found[1]))
        if not good or not found[0].endswith("]]"):
            mark = found[0].replace(HIDDEN, "…")
            yield (
                found.start(),
                ERROR,
                "unknown_mark",
                {"mark": mark, "available": ", ".join(f"[[dl:{m}]]" for m in _MARKS)},
            )


def values_for(content: EditionContent, *, links: LinkTable, honeypot: bool = True) -> dict[str, Any]:
    """What an editor's design may name, as plain data: what the shipped designs see, without the rows' other sides."""
    content = clean(content)
    given = values_of(content, links=links, honeypot=honeypot)
    why = str(given["words"]["why"]).replace("#", content.masthead.name)
    edition = {"subject": content.subject, "preheader": content.preheader, "slot_at": content.slot_at}
    values: dict[str, Any] = plain(given | {"edition": edition, "why": why})
    return values


def _tried(source: str) -> list[Problem]:
    """What only shows on an edition: names that are not there, loops without end, duties not done."""
    found: list[Problem] = []
    places = Places(source)
    end = places.of(max(len(source.rstrip()) - 1, 0))
    for sample in (FULL, BARE):
        try:
            made = expanded(source, values=values_for(sample, links=LinkTable()))
            worst = next((each for each in written(made, is_template=False) if each.level == ERROR), None)
            markup = "" if worst else _compiled(made)
        except Stopped as stopped:
            return [*found, stopped.problem]
        except UnusableTemplate as error:
            return [*found, Problem(*end, ERROR, "not_compiled", {"said": str(error)[:200]})]
        if worst is not None:
            return [*found, Problem(*end, ERROR, worst.code, worst.params)]
        found += [Problem(*end, level, code, params) for level, code, params in _duties(made, markup, sample)]
    return found


def _duties(made: str, markup: str, sample: EditionContent) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """What the law, mailboxes and readers may expect of every letter."""
    printed = html.unescape(markup)
    if "[[dl:leave]]" not in markup:
        yield ERROR, "no_leave", {}
    if any(part not in printed for part in sample.masthead.postal_address.splitlines()):
        yield ERROR, "no_postal_address", {}
    missing = [block.kind for block in sample.blocks for story in block.stories if story.headline not in printed]
    if len(missing) == len(sample.stories()):
        yield ERROR, "no_stories", {}
    elif missing:
        yield WARNING, "left_out", {"kinds": ", ".join(missing)}
    for mark, code in (("[[dl:b1]]", "no_marker"), ("[[dl:open]]", "no_open"), ("[[dl:view]]", "no_view")):
        if mark not in made or (code == "no_marker" and "[[dl:b0]]" not in made):
            yield WARNING, code, {}
    for host in dict.fromkeys(_FONT.findall(markup)):
        yield WARNING, "foreign_font", {"host": host}
