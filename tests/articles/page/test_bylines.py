"""Who wrote it, told apart from who runs the site."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.page.bylines import bylines


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("By Aiko Sato", ("Aiko Sato",)),
        ("BY AIKO SATO AND BEN OKRI", ("AIKO SATO", "BEN OKRI")),
        ("Aiko Sato, Ben Okri & Chen Li", ("Aiko Sato", "Ben Okri", "Chen Li")),
        ("Aiko Sato | Diplomatic Correspondent", ("Aiko Sato",)),
        ("Aiko Sato, with additional reporting by Chen Li", ("Aiko Sato", "Chen Li")),
        ("By Aiko Sato in Tokyo", ("Aiko Sato",)),
        ("admin", ()), ("News Desk", ()), ("Web Desk", ()), ("Staff Reporter", ()), ("Our Correspondent", ()), ("The Newspaper's Staff Reporter", ()), ("Agencies", ()), ("", ()),
        ("Sports Desk and Aiko Sato", ("Aiko Sato",)),
        ("Von Jana Vos", ("Jana Vos",)),
        ("Aiko Sato (Tokyo)", ("Aiko Sato",)),
        ("editor@gazette.example", ()),
        ("Anderson Cooper", ("Anderson Cooper",)),
        ("Alexandra", ("Alexandra",)),
    ],
)  # fmt: skip
def test_a_byline_names_people_not_desks(text: str, names: tuple[str, ...]) -> None:
    assert bylines(text) == names


@given(st.text(max_size=200))
def test_any_byline_is_read_without_an_error(text: str) -> None:
    assert all(name.strip() for name in bylines(text))
