"""Every way to say a story fits its network, in its turn; a sensitive one has one way only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.channels import facts
from pipeline.posts.rules.rules import FORMATS, Rules
from pipeline.posts.variants import Brief
from pipeline.posts.wording import parts
from pipeline.posts.words.care import objections
from pipeline.posts.words.formats import Material
from pipeline.posts.words.kept import Words
from pipeline.posts.words.offers import Offer, Voice, offers, topics_of, unlinked

LINK = "https://go.example.org/c/Ab-12_x"
STORY = Material(
    headline="Will the port of Porto reopen?",
    standfirst="Trade worth 1.2 million euros a day was held up.",
    text="“We have never seen waves like these before,” said Ana Sá. The harbour opened at dawn on Monday. "
    "Islanders wait for calmer water.\nFares stay as they were until the spring.",
)
BRIEF = Brief(
    headline=STORY.headline, standfirst=STORY.standfirst, link=LINK, section=("Region", "Harbour news"), language="en"
)


def voice(network: str = "mastodon", *, words: dict[str, Any] | None = None, **rules: Any) -> Voice:
    known = Rules(formats=rules.pop("formats", FORMATS), threads=True, **rules)
    return Voice(
        network=network, rules=known, words=Words.of(words or {}), parts=parts(), cards=True, threads=True,
    )  # fmt: skip


def said(brief: Brief = BRIEF, *, turn: int = 0, **settings_: Any) -> tuple[Offer, ...]:
    material = replace(STORY, headline=brief.headline, standfirst=brief.standfirst)
    return offers(brief, material=material, voice=voice(**settings_), turn=turn)


def test_a_story_that_has_it_all_is_offered_in_every_format() -> None:
    assert [offer.format for offer in said()] == list(FORMATS)


@pytest.mark.parametrize("turn", range(6))
def test_formats_take_turns(turn: int) -> None:
    assert said(turn=turn)[0].format == FORMATS[turn]


def test_the_headline_is_always_there_to_fall_back_on() -> None:
    made = said(replace(BRIEF, headline="Port reopens", standfirst=""), formats=("question",))
    assert [offer.format for offer in made] == ["headline"]


@settings(max_examples=60, deadline=None)
@given(
    headline=st.text(min_size=1, max_size=400),
    network=st.sampled_from(sorted(facts.NETWORKS)),
    tone=st.sampled_from(["plain", "neutral", "lively"]),
    turn=st.integers(0, 9),
)
def test_every_offer_fits(headline: str, network: str, tone: str, turn: int) -> None:
    for offer in said(replace(BRIEF, headline=headline), network=network, tone=tone, turn=turn):
        for text in (offer.text.text, *offer.parts):
            measured = facts.measure(network, text)
            assert measured.valid, measured.why_not
        assert (LINK in offer.text.text) == (offer.format != "card")


@pytest.mark.parametrize("network", sorted(facts.NETWORKS))
def test_a_sensitive_story_is_its_headline_and_its_link(network: str) -> None:
    brief = replace(BRIEF, headline="Two dead in Porto: who will pay 1,200,000 euros?", breaking=True)
    words = {"emoji": {"Region": "🌊"}, "hashtags": {"Region": ["Porto"]}, "mentions": {"Porto": "@porto"}}
    [offer] = said(brief, network=network, tone="lively", words=words)
    assert offer.format == "headline"
    assert offer.objections == ()
    for sign in ("#", "🌊", "@porto", "Breaking"):
        assert sign not in offer.text.text
    spoken = voice(network, words=words)
    assert objections(offer.text.text, topics=topics_of(brief, spoken), format_="headline") == ()


def test_a_headline_that_shouts_about_a_death_asks_for_a_person() -> None:
    [offer] = said(replace(BRIEF, headline="Two dead!"))
    assert offer.objections == ("it shouts",)


def test_an_editors_template_may_not_decorate_a_death() -> None:
    made = offers(
        replace(BRIEF, headline="Two dead in Porto"),
        material=STORY,
        voice=replace(voice(), template="😮 {{ headline }} #Porto {{ link }}"),
    )
    assert made[0].text.text.startswith("Two dead in Porto")
    assert made[0].objections == ()


def test_tones_differ() -> None:
    words = {"emoji": {"Region": "🌊"}}
    plain, neutral, lively = (said(formats=("headline",), tone=tone, words=words)[0] for tone in ("plain", "neutral", "lively"))  # fmt: skip
    assert "#" not in plain.text.text
    assert neutral.text.text.endswith("#HarbourNews #Region\n\n" + LINK)
    assert lively.text.text.startswith("🌊 Will the port")


def test_an_accounts_words_are_used() -> None:
    words = {
        "hashtags": {"Harbour news": ["Porto2026"]},
        "mentions": {"Porto": "@porto@town.example", "euros": "@ecb"},
        "templates": {"Harbour news": "{{ headline }} / {{ standfirst }} {{ hashtags }} {{ link }}"},
    }
    text = said(formats=("headline",), words=words)[0].text.text
    assert text.startswith("Will the port of @porto@town.example reopen? / Trade worth 1.2 million @ecb a day")
    assert "#Porto2026 #HarbourNews" in text


def test_a_thread_is_whole_sentences_with_their_numbers() -> None:
    [offer] = [one for one in said(network="x") if one.format == "thread"]
    assert all(part.endswith(f" {number}/{len(offer.parts) + 1}") for number, part in enumerate(offer.parts, 2))
    joined = " ".join(part.rpartition(" ")[0] for part in offer.parts)
    assert joined == " ".join(STORY.text.split())
    assert "Porto" in offer.text.text


def test_a_network_or_account_without_threads_and_cards_gets_none() -> None:
    made = offers(BRIEF, material=STORY, voice=replace(voice(), cards=False, threads=False))
    assert {"thread", "card"} & {offer.format for offer in made} == set()
    quiet = voice()
    made = offers(BRIEF, material=STORY, voice=replace(quiet, rules=replace(quiet.rules, threads=False)))
    assert "thread" not in {offer.format for offer in made}


def test_an_instance_with_more_room_is_believed() -> None:
    long = replace(BRIEF, standfirst="A sentence that says a lot. " * 40)
    short, wide = said(long, formats=("headline",))[0], said(long, formats=("headline",), length=5000)[0]
    assert short.text.length <= 500 < wide.text.length
    assert wide.text.shortened == ()


def test_a_link_is_left_out_only_where_that_saves_money() -> None:
    text = unlinked(BRIEF, voice=voice("x"))
    assert text is not None
    assert LINK not in text.text
    assert unlinked(BRIEF, voice=voice("mastodon")) is None
