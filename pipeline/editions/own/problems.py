"""What is wrong with an editor's design, as data, and a sentence that says what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing found in a source. `line` and `column` count from 1; an error keeps the design from being used."""

    line: int
    column: int
    level: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


_SENTENCES = {
    # Jinja
    "syntax": "This cannot be read as a template: {said}.",
    "unknown_name": "There is nothing called “{name}”. There is: {available}.",
    "failed": "This cannot be worked out: {said}.",
    "too_long": "The design has {length} characters; it may have {limit}. Leave something out.",
    "too_deep": "Brackets, conditions or elements stand too deep in one another here. Flatten them.",
    "too_many_turns": "The loops of this design take more than {limit} turns for one edition. Loop over less.",
    "too_much": "The design grows to more than {limit} characters for one edition. Print less in its loops.",
    "too_slow": "The design takes more than {limit:g} seconds of work for one edition. Make it simpler.",
    "torn_branch": "What is opened inside {{% {word} %}} must be closed inside it: <{name}> is not.",
    # markup
    "bare_bracket": "A bare “<” is not text for the compiler. Write &lt; instead.",
    "bare_end": "A bare “>” is not text for the compiler. Write &gt; instead, or keep letters beyond ASCII away from it.",
    "declaration": "The compiler reads no declarations ({text}). Take this out.",
    "broken_comment": "A comment ends with --> and holds no other “--”. Rewrite it.",
    "broken_tag": "The tag <{name}> is never ended with “>”, or a quotation mark in it is not closed.",
    "unquoted": "The value of “{attribute}” needs quotation marks.",
    "unclosed": "<{name}> is opened here and never closed.",
    "closes_nothing": "</{name}> closes nothing: no such element is open here.",
    "no_body": "A design is one <mjml> with one <mj-body> in it.",
    "outside_root": "Only <mjml> may stand here; everything else belongs inside it.",
    "unknown_tag": "There is no tag <{name}>.{hint} The compiler would pass over it in silence.",
    "unknown_attribute": "<{tag}> has no attribute “{attribute}”.{hint} The compiler would pass over it in silence.",
    "odd_value": "“{value}” is not a value for “{attribute}”; clients will pass over it.",
    "misplaced": "<{name}> cannot stand in <{parent}>. It belongs in: {belongs}.",
    "html_outside": "HTML such as <{name}> cannot stand in <{parent}>. Put it in mj-text, mj-table or mj-raw.",
    "text_outside": "Text cannot stand in <{parent}>. Put it in mj-text or mj-raw.",
    "no_markup_here": "<{parent}> holds text alone; <{name}> cannot stand in it.",
    # what mrml cannot do
    "include": "A design is one piece: mj-include is refused, for a file of ours is nobody's to read. Paste what you need.",
    "hero_fluid": "Mode fluid-height comes out with no height at all. Use fixed-height and say a height.",
    "wrapper_gap": "“gap” is passed over by our compiler. Give the sections a padding instead.",
    "html_attributes": "<{name}> is not compiled. Write the attribute on the element itself, inside mj-raw or mj-text.",
    "file_start": "Nothing may stand before the letter's own head: mj-raw cannot stand directly in <mjml>.",
    "class_children": "A class has attributes, no elements: write <mj-class name=\"…\" color=\"…\"/>.",
    "no_icon": "There is no icon for “{name}”: give this element a src of your own.",
    "foreign_icon": "The icon of “{name}” would be fetched from another company, which then learns who reads. Give it a src of your own.",
    "foreign_font": "This letter would fetch a font from {host}, which then learns who reads. Name fonts that readers have.",
    "no_alt": "This picture has no alt text. Describe it, or write alt=\"\" where it only decorates.",
    # safety
    "forbidden_tag": "<{name}> has no place in a letter: mailboxes remove it, or distrust the sender. Take it out.",
    "forbidden_attribute": "“{attribute}” would run a script; no mailbox allows it. Take it out.",
    "unsafe_address": "“{value}” is no address for a letter. Write one that begins with https://.",
    "nowhere": "“{value}” leads nowhere from a mailbox. Write the whole address, beginning with https://.",
    "unsafe_rule": "“{rule}” cannot stand in a letter's styles. Take it out.",
    # duties
    "unknown_mark": "There is no mark {mark}. There is: {available}.",
    "no_leave": "There is no way to leave. Add a link: <a href=\"[[dl:leave]]\">…</a>.",
    "no_postal_address": "The postal address is not printed. Loop over “signature” in the footer.",
    "no_stories": "No story is printed. Loop over “blocks”, and over each block's “stories”.",
    "left_out": "Some stories of a full edition are not printed: those of blocks of the kind {kinds}.",
    "no_marker": "Blocks are not marked, so readers' own order cannot be kept. Begin each with <mj-raw>[[dl:b{{{{ block.position }}}}]]</mj-raw>.",
    "misplaced_marker": "A block's marker stands between sections: in an mj-raw of its own, directly in mj-wrapper or mj-body.",
    "no_open": "Opens will not be counted: there is no picture with src=\"[[dl:open]]\".",
    "no_view": "There is no link to read it in a browser: [[dl:view]].",
    "not_compiled": "MJML cannot compile this: {said}.",
    "more": "There is more: {count} further problems are not listed.",
}  # fmt: skip


def sentence(problem: Problem) -> str:
    """The problem in English, without its place."""
    return _SENTENCES[problem.code].format(**problem.params)


def placed_sentence(problem: Problem) -> str:
    """The problem in English, with its place."""
    return f"Line {problem.line}, column {problem.column}: {sentence(problem)}"
