"""An edition from a file of articles, without a database: HTML, text, one whole message and its preflight."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import TemplateNotFound

from pipeline.commands.unusable import UnusableInput
from pipeline.delivery.message.merge import EditionHeaders, compile_program
from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Picture, Story
from pipeline.editions.preflight import BLOCK, CONFIRM, Facts, Preflight, check, sentence
from pipeline.editions.render import render
from pipeline.editions.rendered import Doors, LinkTable, Rendered, preview, preview_text, sample_reader

#: Where the sample message's links lead: a domain kept for examples (RFC 2606).
DOORS = Doors.at(track="https://track.example.org", public="https://news.example.org")
LARGEST_FILE = 20_000_000
_NOT_IN_A_SLUG = re.compile(r"[\W_]+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_OPINION = frozenset({"opinion", "opinions", "comment", "commentary", "editorial", "columns"})
#: What any zone can turn into a date without running out of calendar.
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
_TOP = 3
_LONGEST_SUBJECT = 70
#: Characters of running text that stand in for a missing standfirst.
_LONGEST_STANDFIRST = 220


@dataclass(slots=True)
class _Reading:
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


def render_edition(*, articles: Path, newsletter: str, out: Path) -> list[str]:
    """Write <slug>.html, .txt, .eml and preflight.json into `out`; return what a person should know.

    `newsletter` is a name as readers see it; its slug names the files. `articles` is JSON: a list of articles, or
    {"newsletter": {...}, "articles": [...]}. Raises UnusableInput.
    """
    slug = _NOT_IN_A_SLUG.sub("-", newsletter).strip("-").lower()[:80]
    if not slug or not newsletter.isprintable():
        raise UnusableInput(f"not a name for a newsletter: {newsletter[:80]!r}")
    content, warnings = edition_content(read_document(articles), newsletter=newsletter)
    try:
        rendered = render(content, origin_links=LinkTable())
    except TemplateNotFound as error:
        raise UnusableInput(f"there is no design called {content.masthead.design!r}") from error
    findings = check(rendered, content, facts=Facts(doors=DOORS))
    _write(rendered, content, findings, stem=out / slug)
    return warnings + [sentence(found) for found in findings.findings if found.level in (BLOCK, CONFIRM)]


def _write(rendered: Rendered, content: EditionContent, findings: Preflight, *, stem: Path) -> None:
    reader = sample_reader(rendered)
    headers = EditionHeaders(
        sender_name=" ".join(content.masthead.name.split()),
        sender="news@example.org",
        doors=DOORS,
        date=content.slot_at,
        list_name=" ".join(content.masthead.name.split()),
        list_id=f"{re.sub('[^a-z0-9]+', '-', content.masthead.slug.lower()).strip('-') or 'news'}.example.org",
    )
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = {
        ".html": preview(rendered, doors=DOORS, values=reader).encode(),
        ".txt": preview_text(rendered, doors=DOORS, values=reader).encode(),
        ".eml": compile_program(rendered, headers=headers).message(reader),
    }
    for ending, written in files.items():
        stem.with_name(stem.name + ending).write_bytes(written)
    report = json.dumps(findings.as_json(), ensure_ascii=False, indent=1)
    stem.with_name("preflight.json").write_text(report + "\n", encoding="utf-8")


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


def edition_content(document: dict[str, Any], *, newsletter: str) -> tuple[EditionContent, list[str]]:
    """Articles laid out as a morning would (a lead, the top, sections, opinion, the most popular), and warnings.

    Raises UnusableInput where no article can be used.
    """
    reading = _Reading()
    settings = document.get("newsletter", {})
    if not isinstance(settings, dict):
        reading.warnings.append("newsletter: should be an object")
        settings = {}
    stories = _stories(document["articles"], reading=reading)
    if not stories:
        raise UnusableInput("no usable article: each needs at least a title")
    blocks = _blocks(stories, settings, reading=reading)
    lead = blocks[0].stories[0]
    content = EditionContent(
        masthead=_masthead(settings, newsletter=newsletter, stories=stories, reading=reading),
        slot_at=_slot(settings, stories, reading=reading),
        subject=reading.text(settings, "subject") or _shortened(lead.headline, _LONGEST_SUBJECT),
        preheader=reading.text(settings, "preheader") or _shortened(lead.standfirst, 140),
        blocks=blocks,
    )
    return content, reading.warnings


def _slot(settings: dict[str, Any], stories: Iterable[Story], *, reading: _Reading) -> datetime:
    """The slot asked for, else the instant of the newest article, else now."""
    asked = reading.instant(settings, "slot_at", where="newsletter")
    published = (story.published_at for story in stories if story.published_at)
    return asked or max(published, default=None) or datetime.now(UTC)


def _masthead(settings: dict[str, Any], *, newsletter: str, stories: Sequence[Story], reading: _Reading) -> Masthead:
    address = re.match(r"https?://[^/]+/", stories[0].url + "/")
    bare = Masthead(
        name=newsletter if " " in newsletter else re.sub("[-_]", " ", newsletter).title(),
        slug=_NOT_IN_A_SLUG.sub("-", newsletter).strip("-").lower(),
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


def _stories(articles: Iterable[Any], *, reading: _Reading) -> list[Story]:
    stories: list[Story] = []
    for number, record in enumerate(articles, start=1):
        where = f"article {number}"
        if not isinstance(record, dict):
            reading.warnings.append(f"{where}: should be an object; left out")
        elif not reading.text(record, "title", "headline", where=where):
            reading.warnings.append(f"{where}: has no title; left out")
        else:
            stories.append(_story(record, where=where, reading=reading))
    return stories


def _story(record: dict[str, Any], *, where: str, reading: _Reading) -> Story:
    url = reading.text(record, "canonical", "url", "link", where=where)
    if not url:
        reading.warnings.append(f"{where}: has no address; its headline leads nowhere")
    text = reading.text(record, "text", where=where)
    section = reading.texts(record, "breadcrumbs", where=where) or reading.texts(record, "section", where=where)
    return Story(
        headline=reading.text(record, "title", "headline", where=where),
        url=url,
        standfirst=reading.text(record, "standfirst", where=where) or _shortened(text, _LONGEST_STANDFIRST),
        section=section,
        authors=reading.texts(record, "authors", where=where),
        published_at=reading.instant(record, "published", where=where),
        picture=_picture(record.get("image"), where=where, reading=reading),
        place=_place(record.get("dateline"), where=where, reading=reading),
        language=reading.text(record, "language", where=where),
        reading_minutes=max(1, round(len(text.split()) / 220)) if len(text.split()) >= 110 else None,
    )


def _picture(value: Any, *, where: str, reading: _Reading) -> Picture | None:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str) and value.strip():
        value = {"url": value}
    if isinstance(value, dict) and (url := reading.text(value, "url", "src", where=where)):
        return Picture(
            url=url,
            alt=reading.text(value, "alt", where=where),
            credit=reading.text(value, "credit", where=where),
        )
    if value:
        reading.warnings.append(f"{where}: image should be an address or an object with one")
    return None


def _place(value: Any, *, where: str, reading: _Reading) -> str:
    return reading.text(value if isinstance(value, dict) else {"place": value}, "place", where=where)


def _blocks(stories: list[Story], settings: dict[str, Any], *, reading: _Reading) -> tuple[FilledBlock, ...]:
    """The first story with a picture leads; what shares a section stands together, the rest under "also"."""
    wanted = reading.texts(settings, "popular", where="newsletter")
    popular = [story for url in wanted for story in stories if story.url == url]
    rest = [story for story in stories if story not in popular] or stories
    lead = next((story for story in rest if story.picture), rest[0])
    opinion = [story for story in rest if story is not lead and _OPINION & {part.lower() for part in story.section}]
    news = [story for story in rest if story is not lead and story not in opinion]
    more = settings.get("sections") if isinstance(settings.get("sections"), dict) else {}
    note = reading.text(settings, "note")
    blocks = [
        FilledBlock(kind="lead", stories=(lead,)),
        FilledBlock(kind="note", note=note),
        FilledBlock(kind="top", stories=tuple(news[:_TOP])),
        *_sections(news[_TOP:], links=more or {}),
        FilledBlock(kind="opinion", stories=tuple(opinion)),
        FilledBlock(kind="popular", stories=tuple(popular)),
    ]
    return tuple(block for block in blocks if block.stories or block.note)


def _sections(stories: Iterable[Story], *, links: dict[str, Any]) -> list[FilledBlock]:
    grouped: dict[str, list[Story]] = {}
    for story in stories:
        grouped.setdefault(story.section[-1] if story.section else "", []).append(story)
    single = [story for name, group in grouped.items() if len(group) < 2 or not name for story in group]
    blocks = [
        FilledBlock(kind="section", title=name, stories=tuple(group), link=str(links.get(name) or ""))
        for name, group in grouped.items()
        if len(group) > 1 and name
    ]
    return [*blocks, FilledBlock(kind="section", stories=tuple(single))]


def _shortened(text: str, most: int) -> str:
    """The beginning of `text`, ended at a word and with an ellipsis where something is left out."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rpartition(" ")[0].rstrip(",;:–—-") + "…"
