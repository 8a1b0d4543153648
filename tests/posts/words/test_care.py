"""What must be handled with care is found, and what is said about it stays sober."""

from __future__ import annotations

import pytest

from pipeline.posts.words.care import DEATH, DISASTER, MINOR, SUICIDE, needs_a_person, objections, topics_of


def topics(words: str, language: str = "en", **lists: dict[str, tuple[str, ...]]) -> frozenset[str]:
    return topics_of(words, language=language, more=lists.get("more", {}), fewer=lists.get("fewer", {}))


@pytest.mark.parametrize(
    ("words", "language", "found"),
    [
        ("Two dead after ferry capsizes", "en", {DEATH, DISASTER}),
        ("The deadline for grain talks passes", "en", set()),
        ("Ministers skilled in talks", "en", set()),
        ("Earthquake shakes Kobe", "en", {DISASTER}),
        ("Suicides among farmers fall", "en", {SUICIDE}),
        ("He took his own life, an inquest heard", "en", {SUICIDE}),
        ("Three children missing", "en", {MINOR}),
        ("Drei Tote bei Explosion", "de-AT", {DEATH, DISASTER}),
        ("Die Totalansicht des Haushalts", "de", set()),
        ("Un enfant tué", "fr", {MINOR, DEATH}),
        ("Terremoto en Perú", "es", {DISASTER}),
        ("Morreu o poeta", "pt", {DEATH}),
        ("Un bambino ucciso", "it", {MINOR, DEATH}),
        ("Zelfmoord onder boeren", "nl", {SUICIDE}),
        ("Erdbeben", "xx", {DISASTER}),  # a language without a list is read with all of them
        ("Erdbeben", "en", set()),
        ("Budget talks resume", "en", set()),
    ],
)
def test_what_asks_for_care_is_found(words: str, language: str, found: set[str]) -> None:
    assert topics(words, language) == found


def test_the_desk_adds_and_takes_away() -> None:
    assert topics("Hospice opens", more={"en": ("hospice*",)}) == {DEATH}
    assert topics("Hospice opens", more={"": ("hospice",)}) == {DEATH}
    assert topics("It ends in a dead heat", fewer={"en": ("dead heat",)}) == set()
    assert topics("A dead heat and two dead", fewer={"en": ("dead heat",)}) == {DEATH}


@pytest.mark.parametrize(
    ("text", "format_", "why"),
    [
        ("Two dead in Kobe https://a.example/c/1", "headline", ()),
        ("Two dead in Kobe https://a.example/c/#x", "headline", ()),
        ("Two dead in Kobe #Japan", "headline", ("it holds a hashtag",)),
        ("😢 Two dead in Kobe", "headline", ("it holds an emoji",)),
        ("🇯🇵 Two dead", "headline", ("it holds an emoji",)),
        ("Two dead in Kobe!", "headline", ("it shouts",)),
        ("Who killed him?", "question", ("a question makes light of it",)),
        ("120,000 dead", "number", ("a number makes light of it",)),
        ("Two dead ©", "headline", ()),
    ],
)
def test_a_sensitive_story_stays_sober(text: str, format_: str, why: tuple[str, ...]) -> None:
    assert objections(text, topics=frozenset({DEATH}), format_=format_) == why
    assert objections(text, topics=frozenset(), format_=format_) == ()


@pytest.mark.parametrize(
    ("found", "asks"),
    [({SUICIDE}, True), ({MINOR, DEATH}, True), ({MINOR}, False), ({DEATH, DISASTER}, False), (set(), False)],
)
def test_suicide_and_dead_children_are_for_a_person(found: set[str], asks: bool) -> None:
    assert needs_a_person(frozenset(found)) is asks
