"""A post always fits, always holds its link whole, and says what it left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError

from pipeline.channels import facts
from pipeline.posts.variants import Brief, CannotFitError, compose, hashtag, hashtags_of

SOCIAL = Path(__file__).parents[2] / "templates" / "social"
TEMPLATES = {path.stem: path.read_text() for path in SOCIAL.glob("*.txt")}
LINK = "https://go.example.org/s/Ab-12_x"
FERRIES = Brief(
    headline="Ferries run again after the storm, but not to the islands",
    link=LINK,
    standfirst="The harbour master lifted the ban at dawn. Islanders wait for calmer water. Fares stay as they were.",
    section=("Region", "Harbour news"),
    place="PORTO",
)
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"

words = st.one_of(
    st.text(max_size=400),
    st.lists(
        st.sampled_from(["storm", "bbc.com", "日本語の見出し", FAMILY, "e\u0301", "नमस्ते", "\u202eabc", "#1", "@ann@b.example", "{{ link }}"]),
        max_size=120,
    ).map(" ".join),
    st.sampled_from(["x" * 5000, "語" * 900, FAMILY * 200, "a." * 900, "…" * 400]),
)  # fmt: skip
briefs = st.builds(
    Brief,
    headline=words,
    link=st.sampled_from([LINK, "https://a.example/" + "b" * 150, "go.example.org/s/x"]),
    standfirst=words,
    section=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    place=st.text(max_size=30),
    language=st.sampled_from(["en", "de-CH", "ja", "xx", ""]),
    tags=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    sensitive=st.booleans(),
    breaking=st.booleans(),
)


def test_every_network_has_a_template() -> None:
    assert set(TEMPLATES) == set(facts.NETWORKS)


@settings(deadline=None)  # 900 hosts in one word take X's grammar a while
@given(brief=briefs, network=st.sampled_from(sorted(facts.NETWORKS)), own=st.booleans())
@example(brief=replace(FERRIES, headline="x" * 5000, standfirst="y" * 5000), network="x", own=True)
@example(brief=replace(FERRIES, headline="\x00\ud800\ufeff"), network="bluesky", own=False)
def test_a_post_fits_and_holds_its_link(brief: Brief, network: str, own: bool) -> None:
    made = compose(brief, network=network, template=TEMPLATES[network] if own else None)
    measured = facts.measure(network, made.text)
    assert measured.valid, measured.why_not
    assert (made.length, made.limit) == (measured.length, measured.limit)
    assert brief.link in made.text
    assert "\n\n\n" not in made.text
    assert made.text == made.text.strip()


@settings(deadline=None)
@given(brief=briefs, limit=st.integers(120, 400))
def test_a_smaller_instance_is_believed(brief: Brief, limit: int) -> None:
    made = compose(replace(brief, link=LINK), network="mastodon", limit=limit)
    assert facts.measure("mastodon", made.text, limit=limit).valid
    assert made.limit == limit


@given(headline=st.lists(st.sampled_from(["a", "日", FAMILY, "e\u0301", "स्ते", " "]), max_size=500).map("".join))
def test_a_cut_never_splits_what_a_reader_sees_as_one(headline: str) -> None:
    """Every grapheme of the shortened headline is a grapheme of the headline, in the same order."""
    made = compose(Brief(headline=headline, link=LINK), network="x")
    kept = made.text.removesuffix(LINK).strip().removesuffix("…")
    whole = regex.findall(r"\X", " ".join(headline.split()))
    assert regex.findall(r"\X", kept) == whole[: len(regex.findall(r"\X", kept))]


def test_what_fits_is_left_alone() -> None:
    made = compose(FERRIES, network="mastodon", template=TEMPLATES["mastodon"])
    assert made.shortened == ()
    assert made.text == f"{FERRIES.headline}\n\n{FERRIES.standfirst}\n\n{LINK}\n\n#HarbourNews #Region"


def test_x_puts_the_link_last() -> None:
    assert compose(FERRIES, network="x", template=TEMPLATES["x"]).text.endswith(f"#HarbourNews #Region {LINK}")


def test_the_standfirst_goes_by_whole_sentences_first() -> None:
    made = compose(replace(FERRIES, standfirst=FERRIES.standfirst * 3), network="bluesky")
    assert made.shortened == ("shortened the standfirst",)
    assert "…" not in made.text
    assert FERRIES.headline in made.text
    assert "#HarbourNews" in made.text


def test_an_abbreviation_ends_no_sentence() -> None:
    standfirst = "The report names Prof. Ana Sá and Mr. Brandt of the port authority as authors. " + "word " * 60
    made = compose(replace(FERRIES, standfirst=standfirst), network="bluesky")
    assert "port authority as authors.\n" in made.text


def test_a_long_headline_is_cut_between_words() -> None:
    made = compose(Brief(headline="storm " * 100, link=LINK), network="x")
    assert made.shortened == ("shortened the headline",)
    assert made.text.split("\n")[0].endswith("storm…")
    assert made.limit - made.length < 8


def test_a_headline_without_blanks_is_cut_between_characters() -> None:
    made = compose(Brief(headline="語" * 300, link=LINK), network="x")
    assert made.text == f"{'語' * 126}…\n\n{LINK}"  # 126 * 2 + 2 + 2 + 23 = 279, and one more would be 281


def test_each_thing_left_out_is_told() -> None:
    made = compose(
        replace(FERRIES, headline="storm " * 41),
        network="x",
        template="{{ place }} {{ headline }} {{ hashtags }} {{ link }}",
    )
    assert made.shortened == ("left out the standfirst", "left out #Region", "left out #HarbourNews")
    assert made.text.startswith("PORTO storm storm")


def test_a_template_too_long_is_set_aside() -> None:
    made = compose(FERRIES, network="x", template="word " * 100 + "{{ headline }} {{ link }}")
    assert made.text == f"{FERRIES.headline}\n{LINK}"
    assert made.shortened[0].startswith("set the template aside")


def test_a_template_without_the_link_gets_it() -> None:
    assert compose(FERRIES, network="x", template="{{ headline }}").text == f"{FERRIES.headline}\n{LINK}"


def test_a_longer_address_in_the_headline_does_not_stand_for_the_link() -> None:
    made = compose(replace(FERRIES, headline=f"See {LINK}9", standfirst=""), network="x", template="{{ headline }}")
    assert made.text.endswith(f"\n{LINK}")


def test_a_post_may_go_without_a_link() -> None:
    made = compose(replace(FERRIES, link="", standfirst=""), network="x")
    assert "http" not in made.text
    assert facts.cost("x", made.text) < facts.cost("x", f"{made.text} {LINK}")


def test_a_link_that_cannot_fit_is_said_to() -> None:
    with pytest.raises(CannotFitError, match="bluesky"):
        compose(replace(FERRIES, link="https://a.example/" + "b" * 400), network="bluesky")


def test_a_link_with_a_blank_is_refused() -> None:
    with pytest.raises(ValueError, match="blanks"):
        compose(replace(FERRIES, link="https://a.example/ b"), network="x")


@pytest.mark.parametrize("template", ["{{ headline", "{{ nonsense }}", "{{ headline.__class__() }}", "{% set a = 1 %}"])
def test_a_template_that_does_not_work_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        compose(FERRIES, network="x", template=template)


def test_markup_is_posted_as_it_is_written() -> None:
    made = compose(replace(FERRIES, headline="Fish & <b>chips</b>"), network="x", template=TEMPLATES["x"])
    assert made.text.startswith("Fish & <b>chips</b>\n")


@pytest.mark.parametrize(
    ("language", "start"),
    [("en", "Breaking: Ferries"), ("de-AT", "Eilmeldung: Ferries"), ("xx", "Ferries")],
)
def test_breaking_is_said_in_the_storys_language(language: str, start: str) -> None:
    made = compose(replace(FERRIES, breaking=True, language=language), network="x", template=TEMPLATES["x"])
    assert made.text.startswith(start)


@pytest.mark.parametrize("network", sorted(facts.NETWORKS))
def test_a_sensitive_story_has_no_hashtag_and_no_shout(network: str) -> None:
    brief = replace(FERRIES, sensitive=True, breaking=True, tags=("Storm",))
    made = compose(brief, network=network, template=TEMPLATES[network])
    assert "#" not in made.text
    assert "Breaking" not in made.text


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Middle East", "#MiddleEast"),
        ("UK politics", "#UKPolitics"),
        ("science & technology", "#ScienceTechnology"),
        ("Côte d’Ivoire", "#CôteDIvoire"),
        ("2026", ""),
        ("World Cup 2026", "#WorldCup2026"),
        ("東京", "#東京"),
        ("हिन्दी", "#हिन्दी"),
        ("!!!", ""),
        ("", ""),
    ],
)
def test_section_becomes_a_hashtag_that_can_be_spoken(name: str, tag: str) -> None:
    assert hashtag(name) == tag


def test_hashtags_start_with_tags_then_the_deepest_section_without_repeats() -> None:
    brief = replace(FERRIES, tags=("storm watch", "Region"))
    assert hashtags_of(brief, at_most=9) == ("#StormWatch", "#Region", "#HarbourNews")
    assert hashtags_of(brief, at_most=1) == ("#StormWatch",)
