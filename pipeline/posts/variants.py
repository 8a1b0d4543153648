"""An article's words made to fit a network, by that network's own measure. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import regex

from pipeline.channels import facts
from pipeline.kernel.templating import sandbox

ELLIPSIS = "…"
_LONGEST_FIELD = 2000  #: graphemes of a headline or standfirst that are looked at; no newsroom writes more
_MOST_SENTENCES = 12  #: of a standfirst, that are tried
_MOST_CUTS = 24  #: inside its first sentence, that are tried
_SHORTEST_STANDFIRST = 60  #: code points; less than that says nothing
_FEWEST_WORDS_LEFT = 0.5  #: cut inside a word rather than lose more than this share to find its beginning

#: "Breaking" as newsrooms of that language say it. A language that is not here gets no such word.
_BREAKING = {
    "da": "Seneste nyt", "de": "Eilmeldung", "en": "Breaking", "es": "Última hora", "fi": "Juuri nyt",
    "fr": "Dernière minute", "it": "Ultim’ora", "ja": "速報", "nl": "Net binnen", "no": "Siste nytt",
    "pl": "Pilne", "pt": "Última hora", "sv": "Just nu", "uk": "Терміново", "zh": "突发",
}  # fmt: skip
#: A full stop after a word of four letters or more ends a sentence; after "Mr", "U.S" or "Sept" it may not.
_SENTENCE_END = regex.compile(
    r"(?<=(?<!\b(?:Capt|Corp|Dept|Govt|Prof|Sept))(?:(?<=\w{4})\.|[!?])[”’»\"]?)(?=\s)|(?<=[。！？])(?=.)"
)


class CannotFitError(ValueError):
    """Not even the link alone fits this network."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a post may say about an article: plain data, as an editor would jot it down.

    `section` is the path from the front page, deepest last. `link` is our tracked address, or "" for a post
    without one. `sensitive` (a death, a minor, an attack) takes away every hashtag and the breaking label.
    """

    headline: str
    link: str
    standfirst: str = ""
    section: tuple[str, ...] = ()
    place: str = ""
    language: str = "en"
    tags: tuple[str, ...] = ()
    sensitive: bool = False
    breaking: bool = False


_Trial = tuple[Brief, tuple[str, ...], tuple[str, ...]]  #: a brief, its hashtags, what was left out so far


@dataclass(frozen=True, slots=True)
class Text:
    """Words that fit: `length` and `limit` in the network's unit, and why anything was left out, in order."""

    text: str
    length: int
    limit: int
    shortened: tuple[str, ...] = ()


def compose(brief: Brief, *, network: str, template: str | None = None, limit: int | None = None) -> Text:
    """The fullest text of a brief that the network takes; it always holds the link, whole.

    `template` is the source of a text template (templates/social/<network>.txt, or an editor's), run in the
    sandbox; None gives headline, standfirst, hashtags and link. `limit` overrides the network's own.
    Raises UnknownNetworkError, CannotFitError, ValueError for a link with a blank in it, and jinja2.TemplateError
    for a template that does not work.
    """
    rules = facts.network_named(network)
    render, clean = _renderer(template, network=rules.name), _clean(brief)
    hashtags = hashtags_of(clean, at_most=rules.hashtags)

    def fitted(trial: Brief, tags: tuple[str, ...], why: tuple[str, ...]) -> Text | None:
        return _fitted(render(trial, tags), network=rules.name, limit=limit, link=clean.link, why=why)

    for trial, tags, why in _ladder(clean, hashtags):
        found = fitted(trial, tags, why)
        if found:
            return found
    return _short_headline(clean, fitted) or _bare(clean, network=rules.name, limit=limit)


def _ladder(brief: Brief, hashtags: tuple[str, ...]) -> Iterator[_Trial]:
    """What can be left out without touching the headline: standfirst, hashtags from the last, place."""
    yield brief, hashtags, ()
    why: tuple[str, ...] = ()
    if brief.standfirst:
        for words in _shorter_standfirsts(brief.standfirst):
            yield replace(brief, standfirst=words), hashtags, ("shortened the standfirst",)
        why = ("left out the standfirst",)
        yield replace(brief, standfirst=""), hashtags, why
    for kept in range(len(hashtags) - 1, -1, -1):
        why = (*why, f"left out {hashtags[kept]}")
        yield replace(brief, standfirst=""), hashtags[:kept], why
    if brief.place:
        yield _headline_only(brief), (), (*why, "left out the place")


def _shorter_standfirsts(standfirst: str) -> Iterator[str]:
    """Its first sentences, most first; where even one is too long, its beginning at a few lengths."""
    ends = [match.start() for match in _SENTENCE_END.finditer(standfirst)]
    yield from (standfirst[:end] for end in reversed(ends[:_MOST_SENTENCES]))
    first = standfirst[: ends[0]] if ends else standfirst
    cuts = [cut for cut in _cuts(first) if len(cut) >= _SHORTEST_STANDFIRST]
    yield from reversed(cuts[:: max(1, len(cuts) // _MOST_CUTS)])


def _short_headline(brief: Brief, fitted: Callable[..., Text | None]) -> Text | None:
    """The headline alone, cut to the longest beginning that fits."""
    only = _headline_only(brief)
    whole = {
        "the standfirst": brief.standfirst,
        "the hashtags": brief.tags or brief.section,
        "the place": brief.place,
    }
    why = (*(f"left out {name}" for name, value in whole.items() if value), "shortened the headline")
    return _longest(_cuts(brief.headline), lambda words: fitted(replace(only, headline=words), (), why))


def _headline_only(brief: Brief) -> Brief:
    return replace(brief, standfirst="", place="")


def _bare(brief: Brief, *, network: str, limit: int | None) -> Text:
    """Headline and link with nothing around them, for a template that is itself too long; at last the link."""
    aside = ("set the template aside: headline and link only",)

    def attempt(words: str, *why: str) -> Text | None:
        return _fitted(words, network=network, limit=limit, link=brief.link, why=(*aside, *why))

    found = (
        attempt(brief.headline)
        or _longest(_cuts(brief.headline), lambda words: attempt(words, "shortened the headline"))
        or attempt("", "left out the headline")
    )
    if found is None:
        raise CannotFitError(f"{network} has no room for the link alone: {brief.link!r}")
    return found


def _longest(cuts: list[str], attempt: Callable[[str], Text | None]) -> Text | None:
    """The longest of `cuts` (shortest first) that fits, found by halving."""
    low, high, best = 0, len(cuts), None
    while low < high:
        middle = (low + high) // 2
        found = attempt(cuts[middle])
        if found:
            low, best = middle + 1, found
        else:
            high = middle
    return best


def _cuts(words: str) -> list[str]:
    """Beginnings of `words` with an ellipsis, shortest first: at word ends, and inside words too long to lose."""
    graphemes = regex.findall(r"\X", words)
    cuts: list[str] = []
    word_end = 0
    for position in range(1, len(graphemes)):
        if graphemes[position].isspace():
            word_end = position
        elif word_end >= position * _FEWEST_WORDS_LEFT:
            continue
        head = "".join(graphemes[:position]).rstrip(" \t,;:–—-")
        if head and (not cuts or cuts[-1] != head + ELLIPSIS):
            cuts.append(head + ELLIPSIS)
    return cuts


def _fitted(text: str, *, network: str, limit: int | None, link: str, why: tuple[str, ...]) -> Text | None:
    whole = _tidy(text)
    if link and not regex.search(rf"{regex.escape(link)}(?![\w/-])", whole):
        whole = f"{whole}\n{link}".strip()
    measured = facts.measure(network, whole, limit=limit)
    if not measured.valid:
        return None
    return Text(text=whole, length=measured.length, limit=measured.limit, shortened=why)


def _renderer(template: str | None, *, network: str) -> Callable[[Brief, tuple[str, ...]], str]:
    if template is None:
        return _plain
    # Social texts are not markup: the sandbox's escaping would post "&amp;".
    compiled = sandbox().overlay(autoescape=False).from_string(template)

    def render(brief: Brief, hashtags: tuple[str, ...]) -> str:
        return compiled.render(**_variables(brief, hashtags), network=network)

    return render


def _plain(brief: Brief, hashtags: tuple[str, ...]) -> str:
    words = _variables(brief, hashtags)
    headline = f"{words['label']}: {brief.headline}" if words["label"] else brief.headline
    return "\n\n".join(part for part in (headline, brief.standfirst, words["hashtags"], brief.link) if part)


def _variables(brief: Brief, hashtags: tuple[str, ...]) -> dict[str, str]:
    """All that a template can say. Every value is a string, "" where there is nothing."""
    language = brief.language.partition("-")[0].lower()
    return {
        "headline": brief.headline,
        "standfirst": brief.standfirst,
        "section": brief.section[-1] if brief.section else "",
        "desk": brief.section[0] if brief.section else "",
        "place": brief.place,
        "label": _BREAKING.get(language, "") if brief.breaking and not brief.sensitive else "",
        "hashtags": " ".join(hashtags),
        "link": brief.link,
        "language": brief.language,
    }


def hashtags_of(brief: Brief, *, at_most: int) -> tuple[str, ...]:
    """Tags, then sections from the deepest, as hashtags that a screen reader can speak (#MiddleEast)."""
    if brief.sensitive:
        return ()
    spelled = (hashtag(name) for name in (*brief.tags, *reversed(brief.section)))
    return tuple(dict.fromkeys(tag for tag in spelled if tag))[:at_most]


def hashtag(name: str) -> str:
    """A section's name in CamelCase; "" where nothing with a letter is left (no network links #2026)."""
    words = regex.findall(r"[\p{L}\p{M}\p{N}]+", name)
    camel = "".join(word[0].upper() + word[1:] for word in words)
    return f"#{camel}" if regex.search(r"\p{L}", camel) else ""


def _clean(brief: Brief) -> Brief:
    if regex.search(r"\s", brief.link.strip()):
        raise ValueError(f"a link holds no blanks: {brief.link!r}")
    return replace(
        brief,
        headline=_line(brief.headline),
        standfirst=_line(brief.standfirst),
        place=_line(brief.place),
        section=tuple(_line(name) for name in brief.section),
        link=brief.link.strip(),
    )


def _line(words: str) -> str:
    """One line without control characters, half surrogates and the three code points that X refuses."""
    plain = regex.sub(r"[\p{Cs}\ufeff\ufffe\uffff]|[^\P{Cc}\s]", "", words)
    one = regex.sub(r"\s+", " ", plain).strip()
    return one if len(one) <= _LONGEST_FIELD else "".join(regex.findall(r"\X", one)[:_LONGEST_FIELD])


def _tidy(text: str) -> str:
    """No blanks at line ends, no blank line twice: what an empty variable leaves behind in a template."""
    lines = "\n".join(regex.sub(r"[ \t]+", " ", line).strip() for line in text.splitlines())
    return regex.sub(r"\n{3,}", "\n\n", lines).strip()
