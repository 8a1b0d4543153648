"""The readers' words: one TOML file for each language in templates/pages/public/words; another file is another language."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from pipeline.kernel.config import TEMPLATES
from pipeline.kernel.templating import direction

FOLDER = TEMPLATES / "pages" / "public" / "words"
DEFAULT = "en"
#: First strong isolate and its end (Unicode UAX 9): a Latin name keeps its full stop inside a line of Arabic.
_ISOLATED = "\u2068{}\u2069"


@dataclass(frozen=True, slots=True)
class Words:
    """One language. Calling it with "join.title" and the values of its blanks gives the sentence."""

    language: str
    name: str  #: in itself: Français
    direction: str  #: ltr or rtl
    sentences: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Raises KeyError for a sentence or a value that is not there."""
        return self.sentences[key].format_map({name: self._placed(value) for name, value in values.items()})

    def version(self, key: str) -> str:
        """Names the exact words of a sentence, for evidence: fr-3f2a9c01."""
        return f"{self.language}-{hashlib.blake2b(self.sentences[key].encode(), digest_size=4).hexdigest()}"

    def _placed(self, value: object) -> str:
        return _ISOLATED.format(value) if self.direction == "rtl" else str(value)


@cache
def catalogue() -> Mapping[str, Words]:
    """Every language by its tag, English first."""
    found = {path.stem: _read(path.stem) for path in sorted(FOLDER.glob("*.toml"))}
    return MappingProxyType({DEFAULT: found[DEFAULT], **found})


def words(language: str) -> Words:
    """The words of a language tag, of its plain language, or English."""
    known = catalogue()
    tag = language.strip().lower()
    return known.get(tag) or known.get(tag.partition("-")[0]) or known[DEFAULT]


def is_offered(language: str) -> bool:
    """Whether there is a file for exactly this tag."""
    return language in catalogue()


def preferred(accepted: str) -> str:
    """The language of an Accept-Language header (RFC 9110 12.5.4) that we have, or English."""
    ranges = [part.partition(";") for part in accepted[:400].split(",")]
    ordered = sorted(ranges, key=lambda part: -_weight(part[2]))
    tags = (tag.strip().lower() for tag, _, _ in ordered)
    return next((known for tag in tags for known in (tag, tag.partition("-")[0]) if is_offered(known)), DEFAULT)


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


def _read(language: str) -> Words:
    table = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    parts = {name: part for name, part in table.items() if isinstance(part, dict)}
    sentences = {f"{group}.{key}": str(text) for group, part in parts.items() for key, text in part.items()}
    return Words(language, str(table["name"]), direction(language), MappingProxyType(sentences))
