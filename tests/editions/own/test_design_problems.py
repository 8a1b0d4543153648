from __future__ import annotations

import time
from string import Formatter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.editions.own.design import MOST_PROBLEMS, lint
from pipeline.editions.own.problems import _SENTENCES, ERROR, WARNING, Problem, placed_sentence, sentence
from tests.editions.own.designs import GOOD, body, letter


def said(source: str) -> list[tuple[int, int, str, str]]:
    return [(problem.line, problem.column, problem.level, problem.code) for problem in lint(source)]


def codes(source: str, level: str = ERROR) -> list[str]:
    return [problem.code for problem in lint(source) if problem.level == level]


def test_a_good_design_has_no_problem() -> None:
    assert lint(GOOD) == ()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("<mj-foo/>", (3, 1, ERROR, "unknown_tag")),
        ("<mj-section>\n  <mj-colum/>\n</mj-section>", (4, 3, ERROR, "unknown_tag")),
        ('<mj-section paddin="1px"><mj-column/></mj-section>', (3, 13, ERROR, "unknown_attribute")),
        ('<mj-section padding="1px"\n  colour="red"><mj-column/></mj-section>', (4, 3, ERROR, "unknown_attribute")),
        ('<mj-section padding="wide"><mj-column/></mj-section>', (3, 13, WARNING, "odd_value")),
        ("<mj-section padding=1px><mj-column/></mj-section>", (3, 13, ERROR, "unquoted")),
        ("<mj-column/>", (3, 1, ERROR, "misplaced")),
        ("<mj-section>hello<mj-column/></mj-section>", (3, 13, ERROR, "text_outside")),
        ("<mj-section><p>hello</p></mj-section>", (3, 13, ERROR, "html_outside")),
        ("<mj-section><mj-column></mj-section>", (3, 13, ERROR, "unclosed")),
        ("</mj-group>", (3, 1, ERROR, "closes_nothing")),
        ("<mj-raw>a < b</mj-raw>", (3, 11, ERROR, "bare_bracket")),
        ("<mj-raw>漢 > b</mj-raw>", (3, 11, ERROR, "bare_end")),
        ("<mj-raw><b</mj-raw>", (3, 9, ERROR, "broken_tag")),
        ("<mj-raw><b><i>x</b></i></mj-raw>", (3, 12, ERROR, "unclosed")),
        ("<!-- a -- b -->", (3, 1, ERROR, "broken_comment")),
        ("<!-- a", (3, 1, ERROR, "broken_comment")),
        ("<?php ?>", (3, 1, ERROR, "declaration")),
        ("<mj-raw><![CDATA[x]]></mj-raw>", (3, 9, ERROR, "declaration")),
        ("{% if rtl %}<mj-section>{% endif %}</mj-section>", (3, 13, ERROR, "torn_branch")),
        ("<mj-section>{% if rtl %}</mj-section><mj-section>{% endif %}</mj-section>", (3, 25, ERROR, "torn_branch")),
    ],
)
def test_what_the_compiler_would_pass_over_or_choke_on_is_told_where_it_stands(
    written: str, expected: tuple[int, int, str, str]
) -> None:
    assert expected in said(body(f"\n{written}"))


@pytest.mark.parametrize(
    ("written", "level", "code"),
    [
        ('<mj-include path="/etc/passwd"/>', ERROR, "include"),
        ('<mj-hero mode="fluid-height"></mj-hero>', ERROR, "hero_fluid"),
        ('<mj-wrapper gap="8px"></mj-wrapper>', WARNING, "wrapper_gap"),
        ('<mj-section><mj-column><mj-image src="https://x.example/a.jpg"/></mj-column></mj-section>', WARNING, "no_alt"),
        ('<mj-section><mj-column><mj-social><mj-social-element name="mastodon"/></mj-social></mj-column></mj-section>', WARNING, "no_icon"),
        ('<mj-section><mj-column><mj-social><mj-social-element name="x-noshare"/></mj-social></mj-column></mj-section>', WARNING, "foreign_icon"),
    ],
)  # fmt: skip
def test_what_our_compiler_cannot_do_is_told(written: str, level: str, code: str) -> None:
    assert (level, code) in {(problem.level, problem.code) for problem in lint(body(written))}


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ('<mj-html-attributes><mj-selector path=".a"/></mj-html-attributes>', "html_attributes"),
        ('<mj-attributes><mj-class name="a"><mj-text color="red"/></mj-class></mj-attributes>', "class_children"),
        ('<mj-attributes><mj-txt color="red"/></mj-attributes>', "unknown_tag"),
        ('<mj-attributes><mj-text colour="red"/></mj-attributes>', "unknown_attribute"),
        ("<mj-title><b>x</b></mj-title>", "no_markup_here"),
        ("<mj-style>@import url(x.css)</mj-style>", "unsafe_rule"),
    ],
)
def test_what_cannot_stand_in_the_head_is_told(head: str, code: str) -> None:
    assert code in codes(f"<mjml><mj-head>{head}</mj-head><mj-body></mj-body></mjml>")


def test_nothing_stands_before_the_letter() -> None:
    assert codes('<mjml><mj-raw position="file-start">x</mj-raw><mj-body></mj-body></mjml>') == ["file_start"]
    assert "outside_root" in codes("<mjml><mj-body></mj-body></mjml><mjml></mjml>")


@pytest.mark.parametrize(
    ("markup", "code"),
    [
        ("<script>x</script>", "forbidden_tag"),
        ("<IFRAME src='https://x.example/'></IFRAME>", "forbidden_tag"),
        ("<form action='https://x.example/'><input name='a'/></form>", "forbidden_tag"),
        ("<style>a</style>", "forbidden_tag"),
        ("<meta http-equiv='refresh' content='0'/>", "forbidden_tag"),
        ("<b onclick='x'>y</b>", "forbidden_attribute"),
        ("<b oNmouseover='x'>y</b>", "forbidden_attribute"),
        ("<a href='javascript:x'>y</a>", "unsafe_address"),
        ("<a href=' JaVa\tScript&colon;x'>y</a>", "unsafe_address"),
        ("<a href='&#106;avascript:x'>y</a>", "unsafe_address"),
        ("<img alt='' src='data:text/html,x'/>", "unsafe_address"),
        ("<img alt='' srcset='https://x.example/a 1x, vbscript:x 2x'/>", "unsafe_address"),
        ("<b style='width:expression(x)'>y</b>", "unsafe_rule"),
        ("<b style='background:url(java\\script:x)'>y</b>", "unsafe_rule"),
    ],
)
def test_scripts_frames_and_forms_are_refused(markup: str, code: str) -> None:
    assert code in codes(body(f"<mj-raw>{markup}</mj-raw>"))


def test_an_address_without_a_host_is_warned_of() -> None:
    assert "nowhere" in codes(body("<mj-raw><a href='/about'>x</a></mj-raw>"), WARNING)


@pytest.mark.parametrize(
    ("written", "line", "column", "name"),
    [
        ("{{ nobody }}", 2, 4, "nobody"),
        ("{% if rtl %}\n{{ masthead.nmae }}{% endif %}", 0, 0, ""),
        ("\n{{ masthead.nmae }}", 3, 13, "nmae"),
        ("{% for block in blocks %}{{ loop.indx }}{% endfor %}", 2, 34, "indx"),
        ("{{ edition.blocks }}", 2, 12, "blocks"),
        ("{{ masthead.__class__ }}", 2, 13, "__class__"),
        ("{{ words.items }}", 2, 10, "items"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_those_that_are(written: str, line: int, column: int, name: str) -> None:
    problems = [problem for problem in lint(letter(written)) if problem.code == "unknown_name"]
    if not name:
        assert problems[0].line == 3  # the second sample runs from right to left, so the branch is entered there
        return
    assert [(problem.line, problem.column, problem.params["name"]) for problem in problems] == [(line, column, name)]
    assert problems[0].params["available"]


def test_a_template_that_cannot_be_read_is_told_with_its_line() -> None:
    assert said("<mjml>\n{% for %}</mjml>") == [(2, 1, ERROR, "syntax")]
    assert said("<mjml>\n\n{% include 'x' %}</mjml>") == [(3, 1, ERROR, "syntax")]


@pytest.mark.parametrize(
    ("left_out", "code", "level"),
    [
        ("[[dl:leave]]", "no_leave", ERROR),
        ("{{ part }}", "no_postal_address", ERROR),
        ("{{ placed.story.headline }}", "no_stories", ERROR),
        ("[[dl:open]]", "no_open", WARNING),
        ("[[dl:view]]", "no_view", WARNING),
        ("[[dl:b0]]", "no_marker", WARNING),
    ],
)
def test_a_duty_that_is_not_done_is_told(left_out: str, code: str, level: str) -> None:
    assert codes(GOOD.replace(left_out, "https://x.example/"), level).count(code) >= 1


def test_a_design_that_passes_over_some_blocks_is_warned_of() -> None:
    some = GOOD.replace(
        "{% for placed in block.stories %}", "{% for placed in block.stories if block.kind != 'popular' %}"
    )
    (problem,) = lint(some)
    assert (problem.code, problem.params["kinds"]) == ("left_out", "popular")


def test_marks_that_are_none_are_told_and_links_are_not_numbered_by_hand() -> None:
    for mark in ("[[dl:nobody]]", "[[dl:c0]]", "[[dl:leave"):
        assert "unknown_mark" in codes(body(f"<mj-raw><b>{mark}</b></mj-raw>"))
    assert "misplaced_marker" in codes(body("<mj-section><mj-raw>[[dl:b1]]</mj-raw></mj-section>"))


def test_rules_marked_inline_are_no_problem() -> None:
    assert lint(GOOD.replace("</mj-head>", '<mj-style inline="inline">.q{color:#222222}</mj-style></mj-head>')) == ()


def test_a_font_of_another_house_is_warned_of() -> None:
    ubuntu = GOOD.replace("Georgia, serif", "Ubuntu, serif")
    assert "foreign_font" in codes(ubuntu, WARNING)


HOSTILE = {
    "brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "digits": "{{ 1" + "0" * 5000 + " }}",
    "deep markup": "<b>" * 9000,
    "deep branches": "{% if rtl %}" * 300 + "{% endif %}" * 300,
    "open braces": "{{" * 30_000,
    "open comments": "<!--" * 16_000,
    "open quotes": '<a a="' * 9000,
    "open tags": "<a " * 20_000,
    "open template comments": "{# " * 20_000,
    "quotes": "'" * 60_000,
    "filters": letter("{{ masthead.name" + "|e" * 5000 + " }}"),
    "stripping": letter("{{ '" + "<>" * 15_000 + "'|striptags }}"),
    "slow": letter(
        "{% for a in words.months %}{% for b in words.months %}"
        + ("{{ ('" + "<>" * 9_000 + "' if not rtl else '')|striptags }}") * 3
        + "{% endfor %}{% endfor %}"
    ),
    "growth": letter("{% for a in words.months %}{% for b in words.months %}" + "x" * 20_000 + "{% endfor %}{% endfor %}"),
    "too long": "x" * 64_001,
    "nulls": "\x00" * 100,
    "surrogates": "\ud800<mjml>",
}  # fmt: skip


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_source_ends_in_words_and_soon(source: str) -> None:
    started = time.process_time()
    problems = lint(source)
    assert time.process_time() - started < 3
    assert any(problem.level == ERROR for problem in problems)
    assert len(problems) <= MOST_PROBLEMS
    assert all(placed_sentence(problem) for problem in problems)


def test_work_without_end_is_stopped_by_the_clock() -> None:
    (problem,) = lint(HOSTILE["slow"])
    assert (problem.code, problem.line) == ("too_slow", 2)


def test_many_problems_are_cut_short_and_that_is_said() -> None:
    problems = lint(body("<mj-foo/>" * 200))
    assert len(problems) == MOST_PROBLEMS
    assert problems[-1].params == {"count": 200 - MOST_PROBLEMS + 1}


PIECES = st.sampled_from(
    ["<mjml>", "</mjml>", "<mj-body>", "</mj-body>", "<mj-head>", "<mj-section>", "</mj-section>", "<mj-column>", "</mj-column>",
     "<mj-text>", "</mj-text>", "<mj-raw>", "</mj-raw>", "<mj-image src='", "'/>", "<p>", "</p>", "<br>", "<!--", "-->", "<", ">",
     "{{", "}}", "{%", "%}", "{#", "#}", "{% for b in blocks %}", "{% endfor %}", "{% if rtl %}", "{% else %}", "{% endif %}",
     "{% raw %}", "{% endraw %}", "{{ blocks }}", "{{ b.stories[0].story.headline }}", "{{ edition.slot_at|day('UTC') }}",
     "{{ masthead.name|truncate(0) }}", "{{ 1 < 'a' }}", "{{ loop }}", "{{ look.accent|legible('x') }}", "[[dl:", "leave]]", "]]",
     "\n", " ", "x", "&amp;", "&", "é", "\x00", "\ue000", '"', "'", "<mj-style inline='inline'>", "</mj-style>", ".a{color:"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=80))
def test_no_source_ends_in_anything_but_problems(source: str) -> None:
    for written in (source, body(source), letter(source)):
        for problem in lint(written):
            assert isinstance(problem, Problem)
            assert 1 <= problem.line <= written.count("\n") + 1
            assert problem.column >= 1
            assert sentence(problem)


@pytest.mark.parametrize("code", sorted(_SENTENCES))
def test_every_problem_has_a_sentence(code: str) -> None:
    names = {name for _, name, _, _ in Formatter().parse(_SENTENCES[code]) if name}
    params: dict[str, Any] = {name: 1 if name in {"limit", "length", "count"} else "x" for name in names}
    text = sentence(Problem(1, 1, ERROR, code, params))
    assert text[0].isupper() or text[0] in "“<"
    assert text.endswith((".", ".</mj-raw>", ">", "]"))
