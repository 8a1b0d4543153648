"""Sentences that change how a story may be used, and sentences that only sound like them."""

from __future__ import annotations

import pytest

from pipeline.articles.page.markers import Marker, marker_of, markers


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("EMBARGOED UNTIL 0600 GMT 20 April", "embargo"), ("STRICTLY EMBARGOED: not before noon", "embargo"), ("Embargo: 20 April, 06:00", "embargo"), ("Not for publication before 20 April", "embargo"), ("Under strict embargo until Monday", "embargo"),
        ("EMBARGO 20 April 06:00 GMT", "embargo"), ("Embargo: 0001 GMT Tuesday", "embargo"), ("EMBARGO: see the letter", "embargo"), ("Embargo jusqu’au 20 avril à 6h", "embargo"), ("Sperrfrist: Montag, 6 Uhr", "embargo"), ("Under embargo until noon", "embargo"),
        ("Correction: The bridge is in Basra.", "correction"), ("CORRECTED: The bridge", "correction"), ("Correction (April 24): The bridge", "correction"), ("An earlier version of this article misspelt a name.", "correction"),
        ("This article was amended on 24 April to correct a date.", "correction"), ("This story has been corrected.", "correction"), ("Editor’s note: An earlier version of this story gave a wrong date.", "correction"), ("Korrektur: In einer früheren Fassung", "correction"), ("تصحيح: الجسر في البصرة", "correction"),
        ("Clarification: The talks are informal.", "clarification"), ("Editor's note: The author sits on the board.", "clarification"), ("Update: The road is open again.", "update"), ("UPDATED — Adds quotes", "update"), ("This story has been updated with comments.", "update"),
        ("RETRACTED: Fish talk", "retraction"), ("Retraction notice", "retraction"), ("Withdrawn: the figures", "retraction"), ("This article has been removed.", "retraction"), ("This report was withdrawn because its figures were wrong.", "retraction"), ("This post has been taken down", "retraction"), ("KILL: FISH-TALKS", "retraction"), ("The Gazette has retracted this article.", "retraction"),
    ],
)  # fmt: skip
def test_a_marker_is_known_by_its_first_words(text: str, kind: str) -> None:
    assert marker_of(text) == Marker(kind, text)


@pytest.mark.parametrize(
    "text",
    [
        "The embargo on fish was lifted.",
        "Embargoes hurt both ports.",
        "Trade embargo: what it means for both ports",
        "Embargo: what it means for both ports",
        "Embargo: 5 things to know",
        "Embargo: no end in sight",
        "Embargo to end on Iranian oil, minister says",
        "Embargo for Russian oil takes effect",
        "Under embargo, the island's economy shrinks again",
        "Sous embargo, l’île se tourne vers l’est",
        "ISLAND UNDER EMBARGO FOR SIXTY YEARS",
        "Troops withdrawn from the border",
        "Withdrawn troops return home",
        "Kill: a review of the film",
        "This report was withdrawn by the ministry after an outcry.",
        "This post was removed from Facebook within hours.",
        "This story was removed from the school curriculum in 1998.",
        "Corrections officers went on strike.",
        "This article of faith was stated by the bishop.",
        "Updates to the harbour law passed.",
        "He withdrew from the talks.",
        "This report was first told by fishermen, he said.",
        "Retracted claws, the cat slept.",
        "Kill-offs of fish were seen.",
        "",
    ],
)
def test_a_sentence_about_embargoes_is_no_embargo(text: str) -> None:
    assert marker_of(text) is None


@pytest.mark.parametrize(
    ("headline", "kind"),
    [
        ("Bees to be counted (EMBARGOED UNTIL 0600 GMT 20 April)", "embargo"),
        ("Bees – STRICTLY EMBARGOED", "embargo"),
        ("NEWS: NOT FOR PUBLICATION BEFORE 20 April", "embargo"),
        ("Fish talk [RETRACTED]", "retraction"),
        ("Fish talk – WITHDRAWN", "retraction"),
    ],
)
def test_in_capitals_a_marker_may_end_a_headline(headline: str, kind: str) -> None:
    assert marker_of(headline) == Marker(kind, headline)


def test_only_the_ends_of_a_story_are_asked() -> None:
    blocks = [
        "First.",
        "Second.",
        "Third.",
        "Correction: in the middle of a story about proof-reading.",
        "Fifth.",
        "Sixth.",
        "Correction: The bridge is in Basra.",
    ]
    assert [marker.text for marker in markers(blocks)] == ["Correction: The bridge is in Basra."]
