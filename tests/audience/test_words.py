"""Every language says everything, with the same blanks."""

from __future__ import annotations

import string

import pytest

from pipeline.audience.words import Words, catalogue, preferred, words

ENGLISH = words("en")


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("language", list(catalogue()))
def test_a_language_has_every_sentence_and_the_same_blanks(language: str) -> None:
    found = words(language).sentences
    assert set(found) == set(ENGLISH.sentences)
    assert {key: blanks(found[key]) for key in found} == {key: blanks(text) for key, text in ENGLISH.sentences.items()}
    assert [key for key, text in found.items() if not text.strip()] == []


def test_no_language_is_english_under_another_name() -> None:
    others = [each for tag, each in catalogue().items() if tag != "en"]
    assert len(others) >= 3
    for each in others:
        assert [key for key, text in each.sentences.items() if text == ENGLISH.sentences[key]] == []


def test_languages_know_their_direction() -> None:
    assert {tag: words(tag).direction for tag in ("en", "fr", "ar", "ur")} == {
        "en": "ltr", "fr": "ltr", "ar": "rtl", "ur": "rtl",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "found"), [("fr", "fr"), ("fr-CA", "fr"), ("AR", "ar"), ("tlh", "en"), ("", "en"), ("../en", "en")]
)
def test_a_language_we_lack_is_english(asked: str, found: str) -> None:
    assert words(asked).language == found


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("fr-BE,fr;q=0.9,en;q=0.8", "fr"),
        ("de,ur;q=0.5,en;q=0.4", "ur"),
        ("en;q=0.1, ar", "ar"),
        ("*", "en"),
        ("q=;;,,x;q=z", "en"),
    ],
)
def test_a_browser_is_answered_in_the_language_it_likes_best_of_ours(header: str, found: str) -> None:
    assert preferred(header) == found


def test_a_name_in_another_script_is_isolated_where_lines_run_from_the_right() -> None:
    assert words("ar")("leave.title", name="Brief").count("\u2068Brief\u2069") == 1
    assert "\u2068" not in words("en")("leave.title", name="Brief")


def test_a_changed_sentence_has_another_version() -> None:
    changed = Words("en", "English", "ltr", {**ENGLISH.sentences, "join.consent": "Yes."})
    assert changed.version("join.consent") != ENGLISH.version("join.consent")
    assert words("fr").version("join.consent").startswith("fr-")
