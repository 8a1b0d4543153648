"""An editor's template worked out within bounds: of turns, of characters, of time. It sees plain data and nothing else."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, UndefinedError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext

from pipeline.editions.designs.cleaning import is_web
from pipeline.editions.own.problems import ERROR, Problem
from pipeline.kernel.templating import LARGEST_SOURCE, Sandbox, sandbox

#: Turns of all loops together: forty blocks of forty stories, five times over.
MOST_TURNS = 8_000
#: Characters a design may grow to, before it is compiled: four times what a mailbox shows whole.
LARGEST_RESULT = 400_000
#: Seconds of this thread's processor time.
LONGEST_WORK_S = 1.0
#: Longest text a filter takes, and largest number: whatever an expression chains, it stays cheap.
LONGEST_TEXT = 20_000
MOST_NODES = 12_000
_LOOP = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem"}
)


class Stopped(Exception):
    """The template ended in a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class _Over(SecurityError):
    """A bound was passed: the code and parameters of the problem it is."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


class _Missing(UndefinedError):
    """A name that is not there; the message is the name, a tab, and what there is."""


class _Undefined(StrictUndefined):
    __slots__ = ()


class _Budget:
    """What one rendering may still spend."""

    def __init__(self) -> None:
        self._ends = time.thread_time() + LONGEST_WORK_S
        self._turns = MOST_TURNS

    def spend(self, turns: int = 0, *, length: int = 0) -> None:
        """Note work that was done, and how long the result is by now. Raises _Over."""
        if length > LARGEST_RESULT:
            raise _Over("too_much", limit=LARGEST_RESULT)
        self._turns -= turns
        if self._turns < 0:
            raise _Over("too_many_turns", limit=MOST_TURNS)
        if time.thread_time() > self._ends:
            raise _Over("too_slow", limit=LONGEST_WORK_S)

    def bounded(self, values: Any) -> _Turns:
        """The turns of one loop, each paid for."""
        if not isinstance(values, tuple | list):
            raise _Over("failed", said="a loop needs a list")
        return _Turns(values, self)

    def filter(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that costs, and that is not asked to work on more than a letter's text."""

        def paid(*given: Any, **named: Any) -> Any:
            self.spend()
            for value in (*given, *named.values()):
                if isinstance(value, str) and len(value) > LONGEST_TEXT:
                    raise _Over("failed", said=f"a text of more than {LONGEST_TEXT} characters")
                if isinstance(value, int) and abs(value) > LONGEST_TEXT and not isinstance(value, bool):
                    raise _Over("failed", said=f"a number above {LONGEST_TEXT}")
            return function(*given, **named)

        if hasattr(function, "jinja_pass_arg"):
            vars(paid)["jinja_pass_arg"] = function.jinja_pass_arg
        return paid


class _Turns:
    """A list whose every turn is paid for; its length is known, so that `loop.last` is."""

    def __init__(self, values: Any, budget: _Budget) -> None:
        self._values, self._budget = values, budget

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        for value in self._values:
            self._budget.spend(1)
            yield value


class _Plain(Sandbox):
    """A dot finds what a value holds, never what Python does with it."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping):
            return obj[argument] if argument in obj else self._missing(argument, obj)
        if isinstance(obj, LoopContext):
            return getattr(obj, argument) if argument in _LOOP else self._missing(argument, _LOOP)
        if isinstance(obj, tuple | list | str) and isinstance(argument, int) and not isinstance(argument, bool):
            return obj[argument] if -len(obj) <= argument < len(obj) else self._missing(argument, ())
        if isinstance(obj, Undefined):
            return obj[argument]
        return self._missing(argument, ("nothing: it is empty here, so ask {% if %} first",) if obj is None else ())

    def _missing(self, name: Any, available: Any) -> Undefined:
        listed = ", ".join(sorted(map(str, available))) or "nothing by a name"
        return self.undefined(f"{str(name)[:60]}\t{listed}", name=str(name)[:60], exc=_Missing)


def plain(value: Any) -> Any:
    """Frozen data as the dictionaries, tuples and texts a template may see. A story's address is a web address or ""."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        return named | ({"url": named["url"] if is_web(named["url"]) else ""} if "url" in named else {})
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    return tuple(plain(each) for each in value) if isinstance(value, tuple | list) else value


def expanded(source: str, *, values: Mapping[str, Any]) -> str:
    """The MJML that a source comes to with these values, which must be plain. Raises Stopped."""
    if len(source) > LARGEST_SOURCE:
        raise Stopped(Problem(1, 1, ERROR, "too_long", {"length": len(source), "limit": LARGEST_SOURCE}))
    budget = _Budget()
    environment = _environment(budget)
    try:
        tree = environment.parse(source)
        _known(source, tree, values)
        return "".join(_pieces(environment.from_string(tree), values, budget))
    except Stopped:
        raise
    except Exception as error:  # whatever an expression of theirs ends in is theirs to read, and nobody else's
        raise Stopped(_problem(error, source)) from error


def _environment(budget: _Budget) -> _Plain:
    shared = sandbox()
    made = _Plain(
        autoescape=True, undefined=_Undefined, trim_blocks=True, lstrip_blocks=True, cache_size=0, optimized=False
    )
    made.globals.clear()
    made.filters = {name: budget.filter(each) for name, each in shared.filters.items()}
    made.filters["_bounded"] = budget.bounded
    made.filters["wrapped"] = budget.filter(lambda text: text)
    made.tests = dict(shared.tests)
    return made


def _known(source: str, tree: Any, values: Mapping[str, Any]) -> None:
    """Every name is one of the values': also in branches that today's edition does not enter."""
    if sum(1 for _ in tree.find_all(nodes.Node)) > MOST_NODES:
        raise _Over("too_long", length=len(source), limit=LARGEST_SOURCE)
    unknown = meta.find_undeclared_variables(tree) - set(values)
    if not unknown:
        return
    lines = {name.name: name.lineno for name in reversed(list(tree.find_all(nodes.Name))) if name.name in unknown}
    first = min(lines, key=lambda name: (lines[name], name))
    params = {"name": first[:60], "available": ", ".join(sorted(values))}
    raise Stopped(Problem(lines[first], _column(source, lines[first], first), ERROR, "unknown_name", params))


def _pieces(template: Template, values: Mapping[str, Any], budget: _Budget) -> Iterator[str]:
    pieces = template.generate(values)
    length = 0
    for piece in pieces:
        length += len(piece)
        try:
            budget.spend(length=length)
        except _Over as over:
            raise Stopped(Problem(_reached(template, pieces), 1, ERROR, over.code, over.params)) from over
        yield piece


def _reached(template: Template, pieces: Iterator[str]) -> int:
    """The line a template has come to: Jinja delegates to the generator it made of the source."""
    inner = getattr(getattr(pieces, "gi_yieldfrom", None), "gi_frame", None)
    return template.get_corresponding_lineno(inner.f_lineno) if inner else 1


def _problem(error: Exception, source: str) -> Problem:
    """What an exception means to who wrote the template."""
    line = _line(error)
    if isinstance(error, _Over):
        return Problem(line, 1, ERROR, error.code, error.params)
    if isinstance(error, _Missing):
        name, _, available = str(error).partition("\t")
        return Problem(line, _column(source, line, name), ERROR, "unknown_name", {"name": name, "available": available})
    if isinstance(error, TemplateSyntaxError):
        return Problem(error.lineno, 1, ERROR, "syntax", {"said": str(error.message).rstrip(".")[:200]})
    if isinstance(error, RecursionError | MemoryError | SyntaxError):
        return Problem(line, 1, ERROR, "too_deep", {})
    return Problem(line, 1, ERROR, "failed", {"said": str(error).split("\n")[0][:200] or type(error).__name__})


def _line(error: Exception) -> int:
    """The template's line in the innermost frame that Jinja rewrote to it."""
    line, frame = 1, error.__traceback__
    while frame is not None:
        if "__jinja_exception__" in frame.tb_frame.f_globals:
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


def _column(source: str, line: int, name: str) -> int:
    lines = source.split("\n")
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    found = re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", text)
    return found.start() + 1 if found else 1
