"""Lengths as the networks count them: weighted characters, graphemes, code points, bytes, UTF-16 units. Pure.

Sources, read on 2026-11-23: X "Counting characters" and twitter-text's config v3; Mastodon's StatusLengthValidator,
Extractor and twitter_regex.rb; Meta "Threads posts"; Telegram Bot API; discord-api-docs#1315 (answer by staff).
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, resources
from types import ModuleType

import regex

URL_COST = 23  #: X wraps every URL in t.co; Mastodon reserves the same whatever the address is


@dataclass(frozen=True, slots=True)
class Link:
    """An address as the network itself would find it in the text; `start` and `end` are code point offsets."""

    url: str
    start: int
    end: int


# -- emoji ----------------------------------------------------------------------------------------------------
# X and Threads count an emoji sequence as one thing only where Unicode recommends that sequence (RGI, UTS #51):
# a flag of no country, a skin tone on a car or a family nobody drew fall apart into their pieces.
# Checked against ICU 78 (Unicode 17): all 1,614 recommended joined sequences and 259 flags are matched whole.

_MODIFIER = "[\U0001f3fb-\U0001f3ff]"
_VS = "\ufe0f"  # "show as emoji"
_Z = "\u200d"  # zero width joiner
_PERSON = "[👨👩🧑]"
_DOERS = "⛹🏃🏄🏊🏋🏌👮👯👰👱👳👷💁💂💆💇🕵🙅🙆🙇🙋🙍🙎🚣🚴🚵🚶🤦🤵🤷🤸🤹🤼🤽🤾🦸🦹🧍🧎🧏🧔🧖🧗🧘🧙🧚🧛🧜🧝🧞🧟"

_JOINED = (
    # couples, handshakes, bunny ears, wrestlers
    f"{_PERSON}{_MODIFIER}?{_Z}(?:❤{_VS}?{_Z}(?:💋{_Z})?|[🤝🐰🫯]{_Z}){_PERSON}{_MODIFIER}?",
    # families
    f"(?:[👨👩]{_Z}[👨👩]|[👨👩]){_Z}(?:👧{_Z}[👧👦]|👦{_Z}👦|[👧👦])",
    f"🧑{_Z}(?:🧑{_Z})?🧒(?:{_Z}🧒)?",
    # a person's work, hair or wheels
    f"{_PERSON}{_MODIFIER}?{_Z}(?:[🦯🦼🦽](?:{_Z}➡{_VS}?)?|[⚕⚖✈]{_VS}?|[🌾🍳🍼🎄🎓🎤🎨🏫🏭💻💼🔧🔬🚀🚒🦰🦱🦲🦳🩰])",
    # going to the right; a woman or a man doing something
    f"[🏃🚶🧎]{_MODIFIER}?(?:{_Z}[♀♂]{_VS}?)?{_Z}➡{_VS}?",
    f"[{_DOERS}](?:{_MODIFIER}|{_VS})?{_Z}[♀♂]{_VS}?",
    f"🫱{_MODIFIER}{_Z}🫲{_MODIFIER}",
    f"🏳{_VS}?{_Z}(?:🌈|⚧{_VS}?)|🏴{_Z}☠{_VS}?|👁{_VS}?{_Z}🗨{_VS}?|❤{_VS}?{_Z}[🔥🩹]|⛓{_VS}?{_Z}💥",
    f"🐕{_Z}🦺|🐻{_Z}❄{_VS}?|🐈{_Z}⬛|🐦{_Z}[⬛🔥]|😮{_Z}💨|😵{_Z}💫|😶{_Z}🌫{_VS}?|🙂{_Z}[↔↕]{_VS}?|🍋{_Z}🟩|🍄{_Z}🟫",
)
#: first letter of a region, then every second letter that has a flag
_REGIONS = (
    "ACDEFGILMOQRSTUWXZ BABDEFGHIJLMNOQRSTVWYZ CACDFGHIKLMNOPQRUVWXYZ DEGJKMOZ EACEGHRSTU FIJKMOR GABDEFGHILMNPQRSTUWY "
    "HKMNRTU ICDELMNOQRST JEMOP KEGHIMNPRWYZ LABCIKRSTUVY MACDEFGHKLMNOPQRSTUVWXYZ NACEFGILOPRUZ OM PAEFGHKLMNRSTWY QA "
    "REOSUW SABCDEGHIJKLMNORSTVXYZ TACDFGHJKLMNORTVWZ UAGMNSYZ VACEGINU WFS XK YET ZAMW"
)


def _indicator(letter: str) -> str:
    return chr(0x1F1E6 + ord(letter) - ord("A"))


_FLAGS = tuple(f"{_indicator(row[0])}[{''.join(map(_indicator, row[1:]))}]" for row in _REGIONS.split())
_NATIONS = "🏴(?:\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073))\U000e007f"

EMOJI = regex.compile(
    "|".join(
        (
            *_JOINED,
            _NATIONS,
            *_FLAGS,
            rf"[#*0-9]{_VS}?\u20e3",
            rf"\p{{Emoji_Modifier_Base}}{_MODIFIER}",
            # © and ® are text until asked to be emoji; the rest of the plane may be asked needlessly
            rf"[©®]{_VS}",
            rf"(?![#*0-9©®])(?:[\p{{Emoji}}&&[\u0080-\uffff]]|[\p{{Emoji}}--\p{{Emoji_Presentation}}]|[🀄🈚🈯]){_VS}",
            r"(?![#*0-9©®\U0001f1e6-\U0001f1ff])\p{Emoji}",
        )
    ),
    flags=regex.VERSION1,
)


# -- addresses ------------------------------------------------------------------------------------------------

_MOST_DOTS = 50  # twitter-text's grammar backtracks: 2,000 characters of "a." cost it 4.5 s, 100 cost 5 ms
_LONGEST_URL = 4096  # characters; neither network shortens a longer one


def _twitter_text() -> ModuleType:
    """The reference grammar. It asks `pkg_resources`, gone since setuptools 82, for one data file: we hand it over."""

    def resource_string(package: str, name: str) -> bytes:
        return resources.files(package.rpartition(".")[0]).joinpath(name).read_bytes()

    stand_in = ModuleType("pkg_resources")
    stand_in.__dict__["resource_string"] = resource_string
    before = sys.modules.get("pkg_resources")
    sys.modules["pkg_resources"] = stand_in
    try:
        return import_module("twitter_text")
    finally:
        if before is None:
            del sys.modules["pkg_resources"]
        else:
            sys.modules["pkg_resources"] = before


_GRAMMAR = _twitter_text()
_DOMAIN = sys.modules["twitter_text.regexp.valid_domain"].valid_domain.pattern
_PRECEDING = sys.modules["twitter_text.regexp.valid_url_preceding_chars"].valid_url_preceding_chars.pattern

_PATH = r"[^\s<>()?]"
_PATH_END = r"[^\s()?!*\"'「」<>;:=,.$%\[\]~&|@]"
_PARENS = rf"\((?:{_PATH}+|{_PATH}*\({_PATH}+\){_PATH}*)\)"
_QUERY = r"[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@^\u00a0-\U0010fffd]"
_QUERY_END = r"[a-z0-9_&=#/\-\u00a0-\U0010fffd]"
_MASTODON_URL = re.compile(
    rf"(?:{_PRECEDING})(https?://({_DOMAIN})(?::[0-9]+)?"
    rf"(?:/(?:(?:{_PATH}|{_PARENS})*(?:{_PATH_END}|{_PARENS}))?)?(?:\?{_QUERY}*{_QUERY_END})?)",
    re.IGNORECASE,
)
_USER = r"[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*"
_MENTION = re.compile(
    rf"(?<![=/\w])@(?P<user>{_USER})@(?P<domain>\w+(?:[.-]+\w+)*)(?![@＠À-ÖØ-öø-ɏ]|://)", re.IGNORECASE
)
_SCHEMED_URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)


def _runs(text: str) -> Iterator[tuple[int, str]]:
    """Offset and text of each blank and the run after it, where addresses may be: none contains a blank."""
    for run in re.finditer(r"\s?\S+", text):
        if "." in run[0]:
            yield run.start(), ".".join(run[0][:_LONGEST_URL].split(".")[:_MOST_DOTS])


def links_on_x(text: str) -> tuple[Link, ...]:
    """What X turns into t.co links: twitter-text's grammar, where the scheme may be missing ("bbc.com")."""
    found: list[Link] = []
    for offset, run in _runs(text):
        for url in _GRAMMAR.extract_urls_with_indices(run):
            start = offset + url["indices"][0]
            # after an accented host the grammar's own end disagrees with the address; X counts by the address
            if not found or start >= found[-1].end:
                found.append(Link(url=url["url"], start=start, end=start + len(url["url"])))
    return tuple(found)


def links_on_mastodon(text: str) -> tuple[Link, ...]:
    """What Mastodon shortens: a scheme is needed, and a host that could exist (labels <= 63, host <= 253)."""
    return tuple(
        Link(url=match[1], start=offset + match.start(1), end=offset + match.end(1))
        for offset, run in _runs(text)
        for match in _MASTODON_URL.finditer(run)
        if _could_exist(host=match[2], url=match[1])
    )


def links_with_scheme(text: str) -> tuple[Link, ...]:
    """Addresses a reader could click on networks that give no discount for them."""
    found = []
    for match in _SCHEMED_URL.finditer(text):
        url = match[0].rstrip(".,;:!?'\u2019\u201d")
        url = url.rstrip(")") if "(" not in url else url
        found.append(Link(url=url, start=match.start(), end=match.start() + len(url)))
    return tuple(found)


def _could_exist(*, host: str, url: str) -> bool:
    try:
        ascii_host = host.encode("idna")
    except UnicodeError:
        return False
    return len(ascii_host) <= 253 and len(url) <= _LONGEST_URL


# -- lengths --------------------------------------------------------------------------------------------------

#: twitter-text config v3: these ranges weigh 1, everything else 2
_LIGHT = regex.compile("[\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")


def x_form(text: str) -> str:
    """The text as X counts it: NFC, and every line end one character."""
    return re.sub(r"\r\n|\r", "\n", unicodedata.normalize("NFC", text))


def weighted(text: str) -> int:
    """X: an address is 23, an emoji sequence 2, Latin and its neighbours 1, everything else 2."""
    normal = x_form(text)
    links = links_on_x(normal)
    return URL_COST * len(links) + sum(map(_weight, _outside(normal, links)))


def _weight(text: str) -> int:
    rest, emoji = EMOJI.subn("", text)
    return 2 * (emoji + len(rest)) - len(_LIGHT.findall(rest))


def graphemes(text: str) -> int:
    """What a reader calls characters: extended grapheme clusters (UAX #29)."""
    return len(regex.findall(r"\X", text))


def mastodon(text: str) -> int:
    """Graphemes, after every address became 23 characters and `@user@domain` became `@user`."""
    shortened = ("x" * URL_COST).join(_outside(text, links_on_mastodon(text)))
    return graphemes(_MENTION.sub(_without_domain, shortened))


def _without_domain(mention: re.Match[str]) -> str:
    return f"@{mention['user']}" if len(mention["domain"]) <= 253 else mention[0]


def threads(text: str) -> int:
    """Code points, but an emoji sequence counts as many as it has UTF-8 bytes."""
    rest = EMOJI.sub("", text)
    return len(rest) + utf8_bytes(text) - utf8_bytes(rest)


def code_points(text: str) -> int:
    """Unicode code points, as Python counts."""
    return len(text)


def utf16_units(text: str) -> int:
    """UTF-16 code units, as Java and JavaScript count: 2 for everything above U+FFFF."""
    return len(text.encode("utf-16-le")) // 2


def utf8_bytes(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text.encode())


def _outside(text: str, links: tuple[Link, ...]) -> list[str]:
    """The pieces of text before, between and after the links: one more than there are links."""
    edges = [0, *(edge for link in links for edge in (link.start, link.end)), len(text)]
    return [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
