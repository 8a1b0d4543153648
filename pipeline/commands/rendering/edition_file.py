"""A file of articles read as a newsroom might write it: what cannot be used is said, and the rest is used."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.commands.unusable import UnusableInput
from pipeline.editions.content import Masthead, Picture, Story

LARGEST_FILE = 20_000_000
NOT_IN_A_SLUG = re.compile(r"[\W_]+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
#: What any zone can turn into a date without running out of calendar.
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
#: The date of an edition whose file has none: the same file gives the same bytes on any day.
UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
#: Characters of running text that stand in for a missing standfirst.
_LONGEST_STANDFIRST = 220


@dataclass(slots=True)
class Reading:
    """What has been understood of the file so far, and what has not."""

    warnings: list[str] = field(default_factory=list)

    def text(self, record: dict[str, Any], *names: str, where: str = "") -> str:
        """The first of `names` that holds text; another type is a warning, and reads as absent."""
        for name in names:
            value = record.get(name)
            if isinstance(value, str):
                if printed := _UNPRINTABLE.sub(" ", value).strip():
                    return printed
            elif value is not None:
                self.warnings.append(f"{where or 'newsletter'}: {name} should be text, not {type(value).__name__}")
        return ""

    def written(self, record: dict[str, Any], name: str, *, where: str = "newsletter") -> str:
        """A text as it was written, line ends and all; "" with a warning for anything else."""
        value = record.get(name, "")
        if not isinstance(value, str):
            self.warnings.append(f"{where}: {name} should be text, not {type(value).__name__}")
            return ""
        return value

    def texts(self, record: dict[str, Any], name: str, *, where: str) -> tuple[str, ...]:
        """A list of texts, of objects with a name, or one text."""
        value = record.get(name)
        if value is None:
            return ()
        values = value if isinstance(value, list) else [value]
        found = [each.get("name") if isinstance(each, dict) else each for each in values]
        if not all(isinstance(each, str) for each in found):
            self.warnings.append(f"{where}: {name} should be a list of text")
        texts = (_UNPRINTABLE.sub(" ", each).strip() for each in found if isinstance(each, str))
        return tuple(text for text in texts if text)

    def instant(self, record: dict[str, Any], name: str, *, where: str) -> datetime | None:
        """An ISO 8601 instant; without an offset it is UTC."""
        value = self.text(record, name, where=where)
        if not value:
            return None
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            self.warnings.append(f"{where}: {name} is not a date: {value[:40]!r}")
            return None
        if not _FIRST_YEAR <= read.year <= _LAST_YEAR:
            self.warnings.append(f"{where}: {name} is not of our time: {value[:40]!r}")
            return None
        return read if read.tzinfo else read.replace(tzinfo=UTC)


def read_document(path: Path) -> dict[str, Any]:
    """The file as an object with a list under `articles`. Raises UnusableInput."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UnusableInput(f"{path.name} is larger than {LARGEST_FILE // 1_000_000} MB")
        read = json.loads(path.read_bytes())
    except OSError as error:
        raise UnusableInput(f"cannot read {path.name}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UnusableInput(f"{path.name} is not JSON: {error}") from error
    if isinstance(read, list):
        read = {"articles": read}
    if not isinstance(read, dict) or not isinstance(read.get("articles"), list):
        raise UnusableInput(f'{path.name} should hold a list of articles, or an object with one under "articles"')
    return read


def slot_of(settings: dict[str, Any], stories: Iterable[Story], *, reading: Reading) -> datetime:
    """The slot asked for, else the instant of the newest article, else a day that cannot be mistaken for one."""
    asked = reading.instant(settings, "slot_at", where="newsletter")
    published = (story.published_at for story in stories if story.published_at)
    slot = asked or max(published, default=None)
    if slot is None:
        reading.warnings.append("newsletter: nothing has a date, and there is no slot_at; it is dated 1 January 2000")
    return slot or UNDATED


def masthead_of(settings: dict[str, Any], *, newsletter: str, stories: Sequence[Story], reading: Reading) -> Masthead:
    """What the file says of the newsletter, and what can be told from the articles."""
    address = re.match(r"https?://[^/]+/", stories[0].url + "/")
    bare = Masthead(
        name=newsletter if " " in newsletter else re.sub("[-_]", " ", newsletter).title(),
        slug=NOT_IN_A_SLUG.sub("-", newsletter).strip("-").lower(),
        publisher="",
        home_url=address[0] if address else "",
        postal_address="",
        language=stories[0].language or "en",
    )
    given = {name: reading.text(settings, name) for name in Masthead.__dataclass_fields__}
    try:
        ZoneInfo(given["zone"] or bare.zone)
    except (OSError, ValueError, KeyError):
        reading.warnings.append(f"newsletter: there is no time zone {given['zone'][:40]!r}")
        given["zone"] = ""
    return replace(bare, **{name: value for name, value in given.items() if value})


def stories_of(articles: Iterable[Any], *, reading: Reading) -> list[Story]:
    """Every article that has a title; its number in the file is its id."""
    stories: list[Story] = []
    for number, record in enumerate(articles, start=1):
        where = f"article {number}"
        if not isinstance(record, dict):
            reading.warnings.append(f"{where}: should be an object; left out")
        elif not reading.text(record, "title", "headline", where=where):
            reading.warnings.append(f"{where}: has no title; left out")
        else:
            stories.append(replace(_story(record, where=where, reading=reading), article_id=number))
    return stories


def _story(record: dict[str, Any], *, where: str, reading: Reading) -> Story:
    url = reading.text(record, "canonical", "url", "link", where=where)
    if not url:
        reading.warnings.append(f"{where}: has no address; its headline leads nowhere")
    text = reading.text(record, "text", where=where)
    section = reading.texts(record, "breadcrumbs", where=where) or reading.texts(record, "section", where=where)
    return Story(
        headline=reading.text(record, "title", "headline", where=where),
        url=url,
        standfirst=reading.text(record, "standfirst", where=where) or shortened(text, _LONGEST_STANDFIRST),
        section=section,
        authors=reading.texts(record, "authors", where=where),
        published_at=reading.instant(record, "published", where=where),
        picture=_picture(record.get("image"), where=where, reading=reading),
        place=_place(record.get("dateline"), where=where, reading=reading),
        language=reading.text(record, "language", where=where),
        label=reading.text(record, "label", where=where),
        reading_minutes=max(1, round(len(text.split()) / 220)) if len(text.split()) >= 110 else None,
    )


def _picture(value: Any, *, where: str, reading: Reading) -> Picture | None:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str) and value.strip():
        value = {"url": value}
    if isinstance(value, dict) and (url := reading.text(value, "url", "src", where=where)):
        return Picture(
            url=url,
            alt=reading.text(value, "alt", where=where),
            credit=reading.text(value, "credit", where=where),
            width=_pixels(value.get("width")),
            height=_pixels(value.get("height")),
        )
    if value:
        reading.warnings.append(f"{where}: image should be an address or an object with one")
    return None


def _pixels(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000 else None


def _place(value: Any, *, where: str, reading: Reading) -> str:
    return reading.text(value if isinstance(value, dict) else {"place": value}, "place", where=where)


def shortened(text: str, most: int) -> str:
    """The beginning of `text`, ended at a word and with an ellipsis where something is left out."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rpartition(" ")[0].rstrip(",;:–—-") + "…"
