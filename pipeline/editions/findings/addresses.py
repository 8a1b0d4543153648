"""Where stories lead: nowhere, to what does not answer, to a name that is dressed as another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from pipeline.editions.content import EditionContent
from pipeline.editions.findings.finding import CONFIRM, Facts, Finding, placed
from pipeline.editions.rendered import Link

_WEB = re.compile(r"https?://", re.IGNORECASE)
#: Scripts that are written together (Unicode TS 39, highly restrictive): with Latin, and with each other.
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
#: Letters of other scripts that nobody can tell from Latin ones (Unicode's confusables, those in common fonts).
_LIKE_LATIN = frozenset("аеорсухіјѕһԁԛԝӏьвкмнтгαονρτυικχγηωցհոսօյզᴀɑɡıℓ")


def of_addresses(content: EditionContent, *, facts: Facts, links: Iterable[Link] = ()) -> Iterator[Finding]:
    """What is wrong with where the stories lead, and with the design's own `links`."""
    for where, _, story in placed(content):
        params = {"headline": story.headline}
        if not _WEB.match(story.url):
            yield Finding(code="no_address", level=CONFIRM, where=where, params=params)
            continue
        if said := facts.dead_links.get(story.url):
            yield Finding(code="dead_link", level=CONFIRM, where=where, params={**params, "said": said})
        if dressed := lookalike(story.url):
            names = {"host": dressed[0], "shown": dressed[1]}
            yield Finding(code="lookalike_address", level=CONFIRM, where=where, params={**params, **names})
    told = {story.url for _, _, story in placed(content)}
    for link in links:
        if link.url not in told and (dressed := lookalike(link.url)):
            names = {"headline": f"A link of the kind {link.kind}", "host": dressed[0], "shown": dressed[1]}
            yield Finding(code="lookalike_address", level=CONFIRM, where="design", params=names)


def lookalike(url: str) -> tuple[str, str] | None:
    """The host as it travels (xn--) and as it is shown, where a label mixes scripts or only seems to be Latin."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        shown = ".".join(_shown(label) for label in host.split("."))
        travels = ".".join(label.encode("idna").decode() if not label.isascii() else label for label in host.split("."))
    except (ValueError, UnicodeError):
        return None
    if not any(_deceives(label) for label in shown.split(".")):
        return None
    return travels, shown


def _shown(label: str) -> str:
    return label[4:].encode().decode("punycode") if label.lower().startswith("xn--") else label


def _deceives(label: str) -> bool:
    if label.isascii():
        return False
    scripts = {_script(letter) for letter in label if letter.isalpha()}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return True
    return all(letter in _LIKE_LATIN or not letter.isalpha() for letter in label.lower())


def _script(letter: str) -> str:
    """The first word of a letter's name, which names its script for every script that matters here."""
    return unicodedata.name(letter, "UNKNOWN").split("-", maxsplit=1)[0].split(" ", maxsplit=1)[0]
