from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.editions.findings.colours import of_colours
from pipeline.editions.own.sample import BARE, FULL
from pipeline.editions.render import render
from pipeline.editions.rendered import LinkTable


def found(markup: str) -> list[dict[str, Any]]:
    return [dict(finding.params) for finding in of_colours(markup, BARE)]


def colours(markup: str) -> list[tuple[str, str, str]]:
    return [(params["mode"], params["colour"], params["ground"]) for params in found(markup)]


@pytest.mark.parametrize(
    "pale",
    [
        '<p style="color:#999;background:#fff">x</p>',
        '<td bgcolor="#ffffff"><span style="color:rgb(153, 153, 153)">x</span></td>',
        '<div style="background-color:white"><p style="font-size:16px;color:#999999 !important">x</p></div>',
    ],
)
def test_pale_text_is_measured_on_the_ground_it_stands_on(pale: str) -> None:
    assert colours(pale)[0] == ("by day", "#999999", "#ffffff")


@pytest.mark.parametrize(
    "fine",
    [
        '<p style="color:#222">x</p>',
        '<p style="color:#fff;display:none">x</p>',
        '<p style="color:#fff"> &nbsp; · </p>',
        '<td style="background:url(x.jpg)"><p style="color:#fff">x</p></td>',
        '<p style="color:currentcolor">x</p>',
        "<style>p{color:#fff}</style><title>x</title>",
        '<!--[if mso]><p style="color:#fff">x</p><![endif]-->',
        '<p style="color:#fff">',
        '<div style="background:#111"><img><p style="color:#fff">x</p></div>',
    ],
)
def test_what_can_be_read_or_is_not_shown_is_left_alone(fine: str) -> None:
    assert found(fine) == []


def test_a_rule_for_the_dark_is_measured_with_the_dark() -> None:
    night = "<style>@media (prefers-color-scheme:dark){.ink{color:#444444!important}.card, .card table{background-color:#111111!important}}</style>"
    letter = '<div class="card" style="background:#fff"><table style="background:#fff"><td class="ink" style="color:#222">x</td></table></div>'
    assert colours(night + letter) == [("in the dark", "#444444", "#111111")]
    assert colours(letter) == []


@pytest.mark.parametrize("design", ["morning", "weekly", "section", "breaking"])
@pytest.mark.parametrize("paper", ["ivory", "white", "rose"])
@pytest.mark.parametrize("accent", ["#9b1c2e", "#ffcc00", "#00ff88", "#0b2a6b"])
def test_every_design_can_be_read_in_every_colour_by_day_and_by_night(design: str, paper: str, accent: str) -> None:
    for sample in (FULL, BARE):
        masthead = replace(sample.masthead, design=design, paper=paper, accent=accent)
        content = replace(sample, masthead=masthead)
        markup = render(content, origin_links=LinkTable()).html
        assert [finding for finding in of_colours(markup, content) if finding.code == "low_contrast"] == []


@given(st.text(alphabet="<>/='\" abcdp!-styleco:#;{}@()", max_size=120))
def test_no_markup_is_too_odd_to_look_at(text: str) -> None:
    list(of_colours(text, BARE))
    list(of_colours(f"<style>@media (prefers-color-scheme:dark){{{text}", BARE))
