"""What stands between an edition and its readers: findings as data, and a sentence for each."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.editions.content import EditionContent
from pipeline.editions.rendered import BLANK, Doors, Rendered, preview, sample_reader

BLOCK, CONFIRM, NOTE = "block", "confirm", "note"

#: Gmail clips what is longer than about 102 KB of decoded HTML, and with it the way to leave: the email reference B3.
CLIPPED_BYTES = 100_000
NEARLY_CLIPPED_BYTES = 85_000
LONGEST_SUBJECT = 70

_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_ALT = re.compile(r"\salt\s*=", re.IGNORECASE)
#: What is left where a template, a merge field of another system or MJML itself was not understood.
_MARK = re.compile(
    r"\{\{.{0,80}?\}\}|\{%.{0,80}?%\}|\[\[dl:[^\]]{0,40}\]\]|\*\|[A-Z:_]{1,40}\|\*|</?mj-[a-z-]+", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `level` is block, confirm or note; `where` an anchor of the composer: subject, story/2/1."""

    code: str
    level: str
    where: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What only the database knows: article ids that may not be sent, subjects used lately, the true addresses."""

    doors: Doors
    killed: frozenset[int] = frozenset()
    embargoed: frozenset[int] = frozenset()
    recent_subjects: tuple[str, ...] = ()
    short_blocks: tuple[tuple[str, int, int], ...] = ()  #: title, found, minimum
    changed: frozenset[int] = frozenset()  #: stories the site changed after an editor overrode them


@dataclass(frozen=True, slots=True)
class Preflight:
    """Every finding, the worst first, and the size of the HTML in bytes as a mailbox will count it."""

    findings: tuple[Finding, ...]
    html_bytes: int

    @property
    def blocked(self) -> bool:
        """Whether something forbids sending."""
        return any(finding.level == BLOCK for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Plain data: `findings` with their sentences, `html_bytes`, `blocked`."""
        findings = [asdict(finding) | {"sentence": sentence(finding)} for finding in self.findings]
        return {"blocked": self.blocked, "html_bytes": self.html_bytes, "findings": findings}


_SENTENCES = {
    "no_items": "There is no story in this edition.",
    "no_way_to_leave": "The {part} has no unsubscribe link.",
    "no_postal_address": "The publisher's postal address is missing; the law of most countries asks for one.",
    "too_large": "The HTML is {kilobytes} KB; Gmail would clip it, and the unsubscribe link with it. Keep it under {limit} KB.",
    "nearly_too_large": "The HTML is {kilobytes} KB; Gmail clips at about 102 KB.",
    "no_alt": "{count} of the pictures have no alternative text at all.",
    "picture_without_words": "The picture of “{headline}” is not described; readers who cannot see it will not know it is there.",
    "empty_subject": "The subject is empty.",
    "long_subject": "The subject is {length} characters long; phones show about 40, few clients more than {limit}.",
    "empty_preheader": "There is no preview line; mailboxes will show the first words they find.",
    "repeated_subject": "The subject was used for a recent edition: “{subject}”.",
    "empty_block": "The block “{block}” is empty.",
    "empty_headline": "Story {position} of the block “{block}” has no headline.",
    "no_address": "“{headline}” leads nowhere: its address is not a web address.",
    "killed_item": "“{headline}” has been killed and must not be sent.",
    "embargoed_item": "“{headline}” is still under embargo.",
    "repeated_item": "“{headline}” appears more than once.",
    "unresolved_mark": "The {part} still holds a template mark: {mark}",
    "mark_in_content": "A story or the subject holds what looks like a template mark: {mark}",
}


def sentence(finding: Finding) -> str:
    """The finding in English."""
    return _SENTENCES[finding.code].format(**finding.params)


def check(rendered: Rendered, content: EditionContent, *, facts: Facts) -> Preflight:
    """Everything worth saying before an edition leaves. Looks at what readers will get, not at what was meant."""
    markup = preview(rendered, doors=facts.doors, values=sample_reader(rendered))
    size = len(markup.encode())
    found = [
        *_subject(rendered, facts=facts),
        *_items(content, facts=facts),
        *_blocks(content),
        *_pictures(markup, content),
        *_duties(rendered, content),
        *_size(size),
        *_marks(rendered, content),
    ]
    order = (BLOCK, CONFIRM, NOTE)
    return Preflight(findings=tuple(sorted(found, key=lambda finding: order.index(finding.level))), html_bytes=size)


def _subject(rendered: Rendered, *, facts: Facts) -> Iterator[Finding]:
    subject = rendered.subject
    if not subject:
        yield Finding(code="empty_subject", level=BLOCK, where="subject")
    if len(subject) > LONGEST_SUBJECT:
        params = {"length": len(subject), "limit": LONGEST_SUBJECT}
        yield Finding(code="long_subject", level=CONFIRM, where="subject", params=params)
    if subject and subject.casefold() in {recent.strip().casefold() for recent in facts.recent_subjects}:
        yield Finding(code="repeated_subject", level=CONFIRM, where="subject", params={"subject": subject})
    if not rendered.preheader:
        yield Finding(code="empty_preheader", level=NOTE, where="preheader")


def _items(content: EditionContent, *, facts: Facts) -> Iterator[Finding]:
    if not content.stories():
        yield Finding(code="no_items", level=BLOCK, where="blocks")
    seen: set[str] = set()
    for block_number, block in enumerate(content.blocks, start=1):
        for number, story in enumerate(block.stories, start=1):
            where, params = f"story/{block_number}/{number}", {"headline": story.headline}
            if story.article_id in facts.killed:
                yield Finding(code="killed_item", level=BLOCK, where=where, params=params)
            if story.article_id in facts.embargoed:
                yield Finding(code="embargoed_item", level=BLOCK, where=where, params=params)
            if not story.headline.strip():
                position = {"position": number, "block": block.title or block.kind}
                yield Finding(code="empty_headline", level=BLOCK, where=where, params=position)
            if not re.match(r"https?://", story.url, re.IGNORECASE):
                yield Finding(code="no_address", level=CONFIRM, where=where, params=params)
            elif story.url in seen:
                yield Finding(code="repeated_item", level=NOTE, where=where, params=params)
            seen.add(story.url)


def _blocks(content: EditionContent) -> Iterator[Finding]:
    for number, block in enumerate(content.blocks, start=1):
        if not block.stories and not block.note.strip():
            params = {"block": block.title or block.kind}
            yield Finding(code="empty_block", level=CONFIRM, where=f"block/{number}", params=params)


def _pictures(markup: str, content: EditionContent) -> Iterator[Finding]:
    bare = sum(1 for image in _IMAGE.findall(markup) if not _ALT.search(image))
    if bare:
        yield Finding(code="no_alt", level=CONFIRM, where="design", params={"count": bare})
    for block_number, block in enumerate(content.blocks, start=1):
        for number, story in enumerate(block.stories, start=1):
            if block.kind in ("lead", "top", "sponsor") and story.picture and not story.picture.alt.strip():
                params = {"headline": story.headline}
                where = f"story/{block_number}/{number}"
                yield Finding(code="picture_without_words", level=NOTE, where=where, params=params)


def _duties(rendered: Rendered, content: EditionContent) -> Iterator[Finding]:
    """RFC 8058 asks for the header; laws and mailboxes ask for a link a person can see (newsroom.md 4.11)."""
    for part, text in (("HTML", rendered.html), ("text", rendered.text)):
        if "[[dl:leave]]" not in text:
            yield Finding(code="no_way_to_leave", level=BLOCK, where="footer", params={"part": part})
    lines = [line.strip() for line in content.masthead.postal_address.splitlines() if line.strip()]
    printed = html.unescape(rendered.html)
    if not lines or any(" ".join(line.split()) not in printed for line in lines):
        yield Finding(code="no_postal_address", level=BLOCK, where="footer")


def _size(size: int) -> Iterator[Finding]:
    params = {"kilobytes": round(size / 1000), "limit": CLIPPED_BYTES // 1000}
    if size > CLIPPED_BYTES:
        yield Finding(code="too_large", level=BLOCK, where="blocks", params=params)
    elif size > NEARLY_CLIPPED_BYTES:
        yield Finding(code="nearly_too_large", level=CONFIRM, where="blocks", params=params)


def _marks(rendered: Rendered, content: EditionContent) -> Iterator[Finding]:
    """Marks a newsroom wrote itself are asked about; marks that came from nowhere block."""
    written = " ".join(_written(content))
    parts = {"subject": rendered.subject, "preheader": rendered.preheader, "text": rendered.text}
    parts["HTML"] = html.unescape(rendered.html)
    for part, text in parts.items():
        for mark in sorted(
            {found[0] for found in _MARK.finditer(BLANK.sub("", text) if part in ("text", "HTML") else text)}
        ):
            params = {"part": part, "mark": mark}
            if mark in written:
                yield Finding(code="mark_in_content", level=CONFIRM, where=part.lower(), params={"mark": mark})
            else:
                yield Finding(code="unresolved_mark", level=BLOCK, where=part.lower(), params=params)


def _written(content: EditionContent) -> Iterator[str]:
    yield from (content.subject, content.preheader, content.masthead.name, content.masthead.tagline)
    for block in content.blocks:
        yield from (block.title, " ".join(block.note.split()))
    for story in content.stories():
        yield from (
            story.headline,
            story.standfirst,
            story.label,
            story.place,
            *story.section,
            *story.authors,
        )
