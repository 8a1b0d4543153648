from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.posts.rules.rules import Rules
from pipeline.posts.rules.urgency import is_breaking, is_wanted, says

NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "wanted", "found"),
    [
        ("A warning for sailors", ["war"], False),
        ("The war is over", ["war"], True),
        ("WAR!", ["war"], True),
        ("Minister’s resignation", ["minister's"], True),
        ("Erdbeben in Kobe", ["erdbeben"], True),
        ("東京で地震が発生", ["地震"], True),
        ("Prime minister resigns", ["prime minister resigns"], True),
        ("C++ wins", ["c++"], True),
        ("anything", [], False),
    ],
)
def test_whole_words_count_whatever_their_case(words: str, wanted: list[str], found: bool) -> None:
    assert says(words, wanted) is found


@pytest.mark.parametrize(
    ("sections", "exclude", "path", "wanted"),
    [
        ([], [], ["World"], True),
        (["Africa"], [], ["World", "Africa"], True),
        (["africa"], [], ["World", "Africa"], True),
        (["Africa"], [], ["World"], False),
        ([], ["Africa"], ["World", "Africa"], False),
        (["World"], ["Africa"], ["World", "Africa"], False),
    ],
)
def test_what_is_excluded_outweighs_what_is_wanted(
    sections: list[str], exclude: list[str], path: list[str], wanted: bool
) -> None:
    assert is_wanted(Rules(exclude=tuple(exclude)), sections=sections, path=path, words="x") is wanted


def test_a_word_that_rules_out_beats_one_that_hurries() -> None:
    rules = Rules(urgent=("earthquake",), never=("drill",))
    words = "Earthquake drill in Kobe"
    assert not is_wanted(rules, sections=[], path=[], words=words)
    assert not is_breaking(rules, words=words, published_at=NOW, now=NOW)
    assert is_breaking(rules, words="Earthquake in Kobe", published_at=NOW, now=NOW)


@pytest.mark.parametrize(("age_s", "breaking"), [(0, True), (3599, True), (3600, False), (90_000, False)])
def test_an_hour_after_its_publication_nothing_is_breaking(age_s: int, breaking: bool) -> None:
    published = NOW - timedelta(seconds=age_s)
    assert is_breaking(Rules(urgent=("fire",)), words="Fire", published_at=published, now=NOW) is breaking
    assert not is_breaking(Rules(urgent=("fire",)), words="Fire", published_at=None, now=NOW)
