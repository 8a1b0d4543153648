from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.editions.content import FilledBlock, Masthead, Story
from pipeline.editions.designs.cleaning import LONGEST_FIELD, clean, line


@given(text=st.text(max_size=200) | st.text(alphabet=" \t\r\n\x00[dl:x\ud800", max_size=40))
def test_text_comes_out_on_one_tidy_line_without_a_blank_of_ours(text: str) -> None:
    made = clean(Story(headline=text, url="")).headline
    assert made == line(made)
    assert "[[dl:" not in made
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", made)
    assert clean(Story(headline=made, url="")).headline == made


def test_lines_are_kept_where_they_mean_something() -> None:
    assert clean(FilledBlock(kind="note", note=" One \r\n\r\n Two  three ")).note == "One\n\nTwo three"
    assert clean(FilledBlock(kind="note", title="One\nTwo")).title == "One Two"


@pytest.mark.parametrize(("field", "cut"), [("headline", True), ("standfirst", True), ("url", False)])
def test_a_field_of_megabytes_is_cut_and_an_address_is_not(field: str, cut: bool) -> None:
    made = getattr(clean(Story(**{"headline": "x", "url": "y", field: "z" * 2_000_000})), field)
    assert (len(made) <= LONGEST_FIELD and made.endswith("…")) is cut


def test_a_masthead_nobody_checked_falls_back_to_what_can_be_printed() -> None:
    bare = Masthead(name="n", slug="s", publisher="p", home_url="", postal_address="")
    odd = Masthead(
        name="n", slug="s", publisher="p", home_url="", postal_address="", accent="red", paper="mud", typeface="comic",
        language='"><', direction="up", logo_url="javascript:x",
    )  # fmt: skip
    assert clean(odd) == clean(bare) == bare
