"""Every way an account could say a story, the one it is to use first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import regex

from pipeline.channels import facts
from pipeline.posts.rules.rules import Rules
from pipeline.posts.variants import Brief, CannotFitError, Text, compose
from pipeline.posts.words import care
from pipeline.posts.words.formats import Material, lead
from pipeline.posts.words.kept import Words
from pipeline.posts.words.strings import further_parts

MOST_MENTIONS = 2


@dataclass(frozen=True, slots=True)
class Voice:
    """An account's way to speak: its rules and words, the template of its network, the parts by format.

    `cards` says that the author builds the card of a link there, `threads` that parts may follow each other.
    """

    network: str
    rules: Rules = field(default_factory=Rules)
    words: Words = field(default_factory=Words)
    template: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    cards: bool = False
    threads: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to say it. `parts` follow the first text in a thread; `objections` are reasons to ask a person."""

    format: str
    text: Text
    parts: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()


def offers(brief: Brief, *, material: Material, voice: Voice, turn: int = 0) -> tuple[Offer, ...]:
    """The ways that fit, the format whose turn it is first. Raises CannotFitError where not one does.

    `turn` is any number that differs from story to story: formats take turns. A sensitive story takes none.
    """
    topics = topics_of(brief, voice)
    spoken = _voiced(replace(brief, sensitive=brief.sensitive or bool(topics)), voice)
    wanted = care.SOBER[:1] if spoken.sensitive else _turned(voice.rules.formats, turn)
    found = [made for name in wanted if (made := _offer(name, spoken, material, voice, topics))]
    if not any(made.format == "headline" for made in found):
        plain = _offer("headline", spoken, material, voice, topics)
        found += [plain] if plain else []
    if not found:
        raise CannotFitError(f"{voice.network} has no room for it in any format")
    return tuple(sorted(found, key=lambda made: bool(made.objections)))


def topics_of(brief: Brief, voice: Voice) -> frozenset[str]:
    """What in the story's headline and standfirst asks for care, by the lists of its language and of the desk."""
    words = f"{brief.headline}\n{brief.standfirst}"
    return care.topics_of(words, language=brief.language, more=voice.words.care, fewer=voice.words.no_care)


def _offer(name: str, brief: Brief, material: Material, voice: Voice, topics: frozenset[str]) -> Offer | None:
    spoken = _in_format(name, brief, material, voice)
    if spoken is None:
        return None
    limit = voice.rules.length or None
    template = voice.words.of_section(voice.words.templates, brief.section) or voice.template
    text = compose(spoken, network=voice.network, template=template, limit=limit)
    objections = care.objections(text.text, topics=topics, format_=name)
    if objections:  # an editor's template adds what ours would not: say it without one
        text = compose(replace(spoken, place=""), network=voice.network, limit=limit)
        objections = care.objections(text.text, topics=topics, format_=name)
    parts: tuple[str, ...] = ()
    if name == "thread":
        parts = further_parts(material.text, network=voice.network, limit=limit, said=text.text)
        if not parts:
            return None
    return Offer(format=name, text=text, parts=parts, objections=objections)


def _in_format(name: str, brief: Brief, material: Material, voice: Voice) -> Brief | None:
    """The brief with this format's lead, None where the story does not offer one."""
    if name == "card":
        return replace(brief, link="") if voice.cards else None
    if name == "thread":
        return brief if voice.threads and voice.rules.threads else None
    if name == "headline":
        return brief
    told = lead(material, format_=name, part=voice.parts[name])
    if told is None:
        return None
    return replace(brief, headline=told, standfirst="" if told == brief.headline else brief.headline, place="")


def _voiced(brief: Brief, voice: Voice) -> Brief:
    """Tags, tone and names of the account; of none of them anything for a sensitive story."""
    if brief.sensitive:
        return replace(brief, tags=(), breaking=False)
    tone, words = voice.rules.tone, voice.words
    spoken = replace(brief, tags=(*brief.tags, *words.tags_of(brief.section)))
    if tone == "plain":
        return replace(spoken, tags=(), section=(), breaking=False)
    if tone == "lively" and (emoji := words.of_section(words.emoji, brief.section)):
        spoken = replace(spoken, headline=f"{emoji} {spoken.headline}")
    return _mentioning(spoken, words.mentions)


def _mentioning(brief: Brief, handles: Mapping[str, str]) -> Brief:
    """The first place of a name becomes its handle, in the standfirst rather than the headline."""
    left = MOST_MENTIONS
    for name, handle in handles.items():
        pattern = regex.compile(rf"(?<!\w){regex.escape(name)}(?!\w)")
        place = pattern.search(brief.standfirst) or pattern.search(brief.headline)
        if place is None or not left:
            continue
        told, left = place.string[: place.start()] + handle + place.string[place.end() :], left - 1
        is_headline = pattern.search(brief.standfirst) is None
        brief = replace(brief, headline=told) if is_headline else replace(brief, standfirst=told)
    return brief


def _turned(formats: tuple[str, ...], turn: int) -> tuple[str, ...]:
    start = turn % len(formats)
    return (*formats[start:], *formats[:start])


def unlinked(brief: Brief, *, voice: Voice) -> Text | None:
    """The words without their link, where the network charges for one; None where that saves nothing."""
    text = compose(replace(brief, link=""), network=voice.network, limit=voice.rules.length or None)
    whole = compose(brief, network=voice.network, limit=voice.rules.length or None)
    return text if facts.cost(voice.network, text.text) < facts.cost(voice.network, whole.text) else None
