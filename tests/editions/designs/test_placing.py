from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.editions.designs.placing import LONGEST_BRIEF, blank, brief
from pipeline.editions.rendered import LinkTable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Short.", "Short."),
        ("One. Two! " + "three " * 40, "One. Two!"),
        ("Costs 3.5 million. " + "and so on " * 30, "Costs 3.5 million."),
        ("پہلا جملہ۔ " + "اور " * 60, "پہلا جملہ۔"),
        ("word, " * 40, ("word, " * 40)[:168].rstrip(", ") + "…"),
    ],
)
def test_a_brief_ends_with_a_sentence_or_else_at_a_word(text: str, expected: str) -> None:
    assert brief(text) == expected


@given(text=st.text(max_size=600))
def test_a_brief_is_never_longer_than_two_lines_and_begins_as_the_text_does(text: str) -> None:
    made = brief(text)
    assert len(made) <= LONGEST_BRIEF
    assert text.startswith(made.removesuffix("…")) or text == made


def test_only_a_web_address_gets_a_blank() -> None:
    table = LinkTable()
    assert blank(table, "https://a.example/", kind="story", slot="lead/1") == "[[dl:c0]]"
    assert blank(table, "javascript:alert(1)", kind="story", slot="lead/2") == ""
    assert len(table.links()) == 1
