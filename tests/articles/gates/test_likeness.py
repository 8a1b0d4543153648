"""Likeness of texts, against the figures measured for the reference."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.gates.likeness import FEWEST_WORDS, is_same, similarity, sketch, title_key, words

RANDOM = random.Random(7)
VOCABULARY = ["".join(RANDOM.choices("abcdefghijklmnop", k=7)) for _ in range(4000)]


def text(count: int = 600) -> list[str]:
    return RANDOM.choices(VOCABULARY, k=count)


def test_one_mended_word_in_six_hundred_leaves_a_text_alike() -> None:
    for _ in range(20):
        before = text()
        after = [*before[:300], "mended", *before[301:]]
        assert similarity(sketch(" ".join(before)), sketch(" ".join(after))) > 0.93


def test_a_shared_third_is_another_story() -> None:
    for _ in range(20):
        shared = text(200)
        one, other = shared + text(400), shared + text(400)
        assert similarity(sketch(" ".join(one)), sketch(" ".join(other))) < 0.4


def test_different_texts_are_not_alike() -> None:
    assert similarity(sketch(" ".join(text())), sketch(" ".join(text()))) < 0.05


def test_a_short_text_is_not_judged() -> None:
    short = " ".join(VOCABULARY[: FEWEST_WORDS - 1])
    assert sketch(short) == b""
    assert similarity(sketch(short), sketch(short)) == 0.0


def test_scripts_without_spaces_are_judged_by_characters() -> None:
    one = "東京で開かれた会議には三十か国の代表が集まり、港の将来について二日間話し合った。" * 3
    assert len(words(one)) >= FEWEST_WORDS
    assert similarity(sketch(one), sketch(one)) == 1.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Envoy visits Tokyo", "ENVOY  visits Tokyo!"),
        ("“Quoted” headline", '"quoted" headline'),
        ("Ｆｕｌｌ width", "full width"),
    ],
)
def test_titles_with_the_same_words_have_the_same_key(one: str, other: str) -> None:
    assert title_key(one) == title_key(other)


def test_a_title_without_words_has_no_key() -> None:
    assert title_key("") == title_key("—!") == ""


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_likeness_is_symmetric_and_a_share(one: str, other: str) -> None:
    left, right = sketch(one), sketch(other)
    assert 0.0 <= similarity(left, right) == similarity(right, left) <= 1.0


@dataclass
class Said:
    title_key: str
    text: str


@pytest.mark.parametrize(
    ("titles", "how_like", "numbers", "same"),
    [
        (("a", "a"), 0.98, ("1", "2"), True),
        (("a", "a"), 0.9, ("1", "1"), True),
        (("a", "a"), 0.9, ("1", "2"), False),
        (("a", "a"), 0.8, ("1", "1"), False),
        (("a", "b"), 0.96, ("1", "1"), True),
        (("a", "b"), 0.99, ("1", "2"), False),
        (("a", "b"), 0.9, ("1", "1"), False),
    ],
)
def test_a_daily_piece_under_its_title_is_new_when_its_numbers_are(
    titles: tuple[str, str], how_like: float, numbers: tuple[str, str], same: bool
) -> None:
    one, other = (Said(title, f"Gold stood at {number} today.") for title, number in zip(titles, numbers, strict=True))
    assert is_same(one, other, how_like=how_like) is same
