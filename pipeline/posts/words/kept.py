"""The words an account keeps, checked: hashtags and templates by section, names to mention, what asks for care.

{"hashtags": {"Middle East": ["MiddleEast", "MENA"]}, "mentions": {"European Commission": "@EU_Commission"},
 "emoji": {"Sport": "⚽"}, "templates": {"Opinion": "{{ headline }} {{ link }}"},
 "care": {"en": ["hostage*"]}, "no_care": {"en": ["dead heat"]}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.posts.rules.rules import UnusableRules

_Listed = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Words:
    """An account's vocabulary. Keys are sections, names, or languages (`care`, `no_care`)."""

    hashtags: _Listed = field(default_factory=dict)
    mentions: Mapping[str, str] = field(default_factory=dict)
    emoji: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    care: _Listed = field(default_factory=dict)
    no_care: _Listed = field(default_factory=dict)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Words:
        """Read stored words. Raises UnusableRules."""
        lists, texts = ("hashtags", "care", "no_care"), ("mentions", "emoji", "templates")
        if not isinstance(record, Mapping):
            raise UnusableRules("words: expected keys and values")
        if unknown := set(record) - {*lists, *texts}:
            raise UnusableRules(
                f"words.{min(map(str, unknown))}: no such kind; known are {', '.join([*lists, *texts])}"
            )
        read = {key: _texts(record[key], key) for key in texts if key in record}
        return cls(**read, **{key: _lists(record[key], key) for key in lists if key in record})  # type: ignore[arg-type]

    def tags_of(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The hashtags of a section path, those of its deepest section first."""
        return tuple(tag for step in reversed(path) for tag in self.hashtags.get(step, ()))

    def of_section(self, kept: Mapping[str, str], path: tuple[str, ...]) -> str:
        """What is kept for the deepest section that has any; "" where none has."""
        return next((kept[step] for step in reversed(path) if step in kept), "")


def _texts(value: Any, key: str) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for pair in value.items() for one in pair):
        raise UnusableRules(f"words.{key}: expected one text for each name")
    return dict(value)


def _lists(value: Any, key: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise UnusableRules(f"words.{key}: expected a list for each name")
    for name, listed in value.items():
        if not isinstance(listed, list | tuple) or not all(isinstance(one, str) and one.strip() for one in listed):
            raise UnusableRules(f"words.{key}.{name}: expected a list of words")
    return {str(name): tuple(listed) for name, listed in value.items()}
