"""A format's words are the story's own, or there is no such format."""

from __future__ import annotations

import pytest

from pipeline.posts.wording import parts
from pipeline.posts.words.formats import Material, lead

STORY = Material(
    headline="Port of Porto reopens after storm",
    standfirst="Trade worth 1.2 million euros a day was held up.",
    text="PORTO — The harbour opened at dawn.\n“We have never seen waves like these before,” said Ana Sá, the harbour "
    "master. Fares stay.",
)


def told(material: Material, format_: str) -> str | None:
    return lead(material, format_=format_, part=parts()[format_])


def test_a_quote_names_who_said_it() -> None:
    assert told(STORY, "quote") == "“We have never seen waves like these before” – Ana Sá"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Ana Sá, the harbour master, said: “We have never seen waves like these.”", "“We have never seen waves like these.” – Ana Sá"),
        ("« Nous n’avons jamais vu cela dans ce port », a déclaré Anne Roux.", "« Nous n’avons jamais vu cela dans ce port » – Anne Roux"),
        ("„Das haben wir hier noch nie so gesehen“, sagte Jan van der Berg.", "„Das haben wir hier noch nie so gesehen“ – Jan van der Berg"),
        ("“We have never seen waves like these,” she said.", None),
        ("“We have never seen waves like these,” he said. Ana Sá left.", None),
        ("The so-called “harbour master of the north” left.", None),
        ("“No,” said Ana Sá.", None),
        ("“We have never seen waves like these.” The wind fell.", None),
    ],
)  # fmt: skip
def test_a_quote_without_a_name_beside_it_is_none(text: str, quoted: str | None) -> None:
    assert told(Material(headline="Storm", text=text), "quote") == quoted


@pytest.mark.parametrize(
    ("standfirst", "sentence"),
    [
        ("Rain fell. Trade worth 1.2 million euros was held up. Fares stay.", "Trade worth 1.2 million euros was held up."),
        ("Support fell to 38.5%. Rain.", "Support fell to 38.5%."),
        ("Some 12,400 people left.", "Some 12,400 people left."),
        ("It cost $40.", "It cost $40."),
        ("It began in 2019 with 3 ships at 07:30.", None),
        ("Nothing to count.", None),
    ],
)  # fmt: skip
def test_a_figure_comes_with_its_whole_sentence(standfirst: str, sentence: str | None) -> None:
    assert told(Material(headline="Storm", standfirst=standfirst), "number") == sentence


@pytest.mark.parametrize(
    ("headline", "standfirst", "asked"),
    [
        ("Will the port reopen?", "Soon.", "Will the port reopen?"),
        ("Port waits", "The storm has passed. Will the port reopen? Nobody knows.", "Will the port reopen?"),
        ("港は再開するか？", "", "港は再開するか？"),
        ("Port waits", "“Will it?” he asked. Nobody knows.", None),
        ("Port waits", "Nobody knows.", None),
    ],
)
def test_a_question_is_one_the_story_asks(headline: str, standfirst: str, asked: str | None) -> None:
    assert told(Material(headline=headline, standfirst=standfirst), "question") == asked
