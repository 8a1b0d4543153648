from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from pipeline.kernel.templating import (
    LARGEST_SOURCE,
    LONGEST_LOOP,
    READABLE_RATIO,
    clock,
    contrast,
    day,
    direction,
    environment,
    legible,
    local,
    sandbox,
    wrapped,
)

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
MORNING = datetime(2026, 3, 29, 4, 30, tzinfo=UTC)


def test_a_file_of_text_is_not_escaped_and_markup_is() -> None:
    escapes = environment().autoescape
    assert callable(escapes)
    assert not escapes("email/editions/morning/subject.txt")
    assert escapes("email/editions/morning/body.mjml")
    assert escapes("pages/public/archive.html")
    assert escapes(None)


def test_an_unknown_name_is_an_error_and_not_an_empty_string() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nobody }}").render()


def test_an_instant_is_told_by_the_newsrooms_clock_across_the_change_of_summer_time() -> None:
    assert clock(MORNING, "Europe/Brussels") == "06:30 CEST"
    assert clock(MORNING.replace(day=28), "Europe/Brussels") == "05:30 CET"
    assert day(MORNING, "Pacific/Auckland") == "Sunday 29 March 2026"
    assert local(MORNING, "Africa/Addis_Ababa").hour == 7


@pytest.mark.parametrize(
    ("language", "expected"), [("ar", "rtl"), ("AR-eg", "rtl"), ("he", "rtl"), ("en", "ltr"), ("", "ltr")]
)
def test_a_language_knows_its_direction(language: str, expected: str) -> None:
    assert direction(language) == expected


def test_folding_never_cuts_an_address() -> None:
    url = "https://news.example.org/" + "a" * 120
    assert url in wrapped(f"Read it all at {url} and then go on with your morning").splitlines()


@given(colour=COLOURS, ground=COLOURS)
def test_a_colour_becomes_legible_on_light_and_dark_grounds(colour: str, ground: str) -> None:
    assert contrast(legible(colour, ground), ground) >= READABLE_RATIO


@pytest.mark.parametrize("accent", ["#9b1c2e", "#ffcc00", "#00ff00", "#0b6b5d", "#e6e6e6", "#102030"])
@pytest.mark.parametrize("ground", ["#fffdf8", "#f7f2e8", "#1c1a17", "#26231f"])
def test_any_accent_reaches_the_ratio_on_the_grounds_in_use(accent: str, ground: str) -> None:
    assert contrast(legible(accent, ground), ground) >= READABLE_RATIO


@given(ground=st.sampled_from(["#fffdf8", "#1c1a17"]), colour=COLOURS)
def test_a_legible_colour_is_left_alone(ground: str, colour: str) -> None:
    if contrast(colour, ground) >= READABLE_RATIO:
        assert legible(colour, ground) == colour


def written(source: str, **values: Any) -> str:
    return sandbox().from_string(source).render(**values)


def test_an_editors_template_prints_conditions_and_short_loops() -> None:
    source = "{% for s in stories if s %}{{ loop.index }}. {{ s|upper }}{% if not loop.last %}, {% endif %}{% endfor %}"
    assert written(source, stories=["rome", "", "oslo"]) == "1. ROME, 2. OSLO"


def test_what_an_editors_template_prints_is_escaped() -> None:
    assert written("{{ headline }}", headline="<script>") == "&lt;script&gt;"


@pytest.mark.parametrize(
    "source",
    [
        "{{ name.format('x') }}",
        "{{ ''.__class__ }}{{ x() }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%1000000000s' % 1 }}",
        "{{ 'a' ~ 'b' }}",
        "{% set x = 'a' %}",
        "{% set x %}a{% endset %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'email/parts/look.mjml' %}",
        "{% import 'email/parts/look.mjml' as x %}",
        "{% extends 'x' %}",
        "{% block b %}{% endblock %}",
        "{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in x recursive %}{% endfor %}",
        "{{ x|replace('a', 'aaaa') }}",
        "{{ x|join('aaaa') }}",
        "{{ x|attr('__class__') }}",
        "{{ x is filter }}",
        "x" * (LARGEST_SOURCE + 1),
    ],
)
def test_an_editors_template_may_not(source: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        sandbox().from_string(source)


@pytest.mark.parametrize("source", ["{{ x.__class__ }}", "{{ x['__class__'] }}", "{{ x.__init__.__globals__ }}"])
def test_an_editors_template_reaches_nothing_behind_a_value(source: str) -> None:
    with pytest.raises((SecurityError, UndefinedError)):
        written(source, x="a")


@pytest.mark.parametrize("values", [["x"] * (LONGEST_LOOP + 1), "a long text", range(3), {"a": 1}])
def test_a_loop_takes_a_list_of_modest_length_and_nothing_else(values: Any) -> None:
    with pytest.raises(SecurityError):
        written("{% for x in values %}{% endfor %}", values=values)


def test_the_sandbox_has_no_globals_and_no_files() -> None:
    assert not sandbox().globals
    with pytest.raises(TypeError):
        sandbox().get_template("email/parts/look.mjml")


@given(source=st.text(alphabet="{}%|.()[]'\"*~+-=_abx for in if endfor set include", max_size=60))
def test_whatever_an_editor_writes_ends_in_text_or_in_a_template_error(source: str) -> None:
    try:
        made = written(source, a="Rome", b=["x", "y"], x=1)
    except (TemplateError, TypeError, ValueError, ZeroDivisionError):
        return
    assert len(made) < 10_000
