"""What the law, mailboxes and common sense ask of every letter: a way out, an address, a size, no loose template ends."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from pipeline.editions.clients import FIRST, unsupported
from pipeline.editions.content import EditionContent
from pipeline.editions.findings.finding import BLOCK, CONFIRM, NOTE, Facts, Finding
from pipeline.editions.rendered import BLANK, MARKER, Rendered

#: Gmail clips what is longer than about 102 KB of decoded HTML, and with it the way to leave: the email reference B3.
CLIPPED_BYTES = 100_000
NEARLY_CLIPPED_BYTES = 85_000
#: What is left where a template, a merge field of another system or MJML itself was not understood.
_MARK = re.compile(
    r"\{\{.{0,80}?\}\}|\{%.{0,80}?%\}|\[\[dl:[^\]]{0,40}\]\]|\*\|[A-Z:_]{1,40}\|\*|</?mj-[a-z-]+", re.DOTALL
)


def of_duties(rendered: Rendered, content: EditionContent) -> Iterator[Finding]:
    """RFC 8058 asks for the header; laws and mailboxes ask for a link a person can see (newsroom.md 4.11)."""
    for part, text in (("HTML", rendered.html), ("text", rendered.text)):
        if "[[dl:leave]]" not in text:
            yield Finding(code="no_way_to_leave", level=BLOCK, where="footer", params={"part": part})
    lines = [line.strip() for line in content.masthead.postal_address.splitlines() if line.strip()]
    printed = html.unescape(rendered.html)
    if not lines or any(" ".join(line.split()) not in printed for line in lines):
        yield Finding(code="no_postal_address", level=BLOCK, where="footer")


def of_size(size: int) -> Iterator[Finding]:
    """`size` is bytes of HTML, as the mailbox counts them."""
    params = {"kilobytes": round(size / 1000), "limit": CLIPPED_BYTES // 1000}
    if size > CLIPPED_BYTES:
        yield Finding(code="too_large", level=BLOCK, where="blocks", params=params)
    elif size > NEARLY_CLIPPED_BYTES:
        yield Finding(code="nearly_too_large", level=CONFIRM, where="blocks", params=params)


def of_support(markup: str) -> Iterator[Finding]:
    """What some clients will not show and nothing stands in for."""
    for lack in unsupported(markup):
        if not lack.fallback:
            level = CONFIRM if set(lack.clients) & set(FIRST) else NOTE
            params = {"feature": lack.feature, "clients": ", ".join(lack.clients)}
            yield Finding(code="unsupported", level=level, where="design", params=params)


def of_design(facts: Facts) -> Iterator[Finding]:
    """What the linter says of the newsletter's own design."""
    for line, said in facts.design_warnings:
        yield Finding(code="design_warning", level=NOTE, where=f"design:{line}", params={"said": said})


def of_marks(rendered: Rendered, content: EditionContent) -> Iterator[Finding]:
    """Marks a newsroom wrote itself are asked about; marks that came from nowhere block."""
    written = " ".join(_written(content))
    parts = {"subject": rendered.subject, "preheader": rendered.preheader, "text": rendered.text}
    parts["HTML"] = html.unescape(rendered.html)
    for part, text in parts.items():
        ours = MARKER.sub("", BLANK.sub("", text)) if part in {"text", "HTML"} else text
        for mark in sorted({found[0] for found in _MARK.finditer(ours)}):
            if mark in written:
                yield Finding(code="mark_in_content", level=CONFIRM, where=part.lower(), params={"mark": mark})
            else:
                params = {"part": part, "mark": mark}
                yield Finding(code="unresolved_mark", level=BLOCK, where=part.lower(), params=params)


def _written(content: EditionContent) -> Iterator[str]:
    yield from (content.subject, content.preheader, content.masthead.name, content.masthead.tagline)
    for block in content.blocks:
        yield from (block.title, " ".join(block.note.split()))
    for story in content.stories():
        yield from (story.headline, story.standfirst, story.label, story.place, *story.section, *story.authors)
