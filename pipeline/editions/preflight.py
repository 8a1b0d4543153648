"""What stands between an edition and its readers: findings as data, and a sentence for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.editions.content import EditionContent
from pipeline.editions.findings.addresses import of_addresses
from pipeline.editions.findings.colours import of_colours
from pipeline.editions.findings.finding import BLOCK, CONFIRM, NOTE, Facts, Finding
from pipeline.editions.findings.letter import (
    CLIPPED_BYTES,
    NEARLY_CLIPPED_BYTES,
    of_design,
    of_duties,
    of_marks,
    of_size,
    of_support,
)
from pipeline.editions.findings.pictures import of_pictures
from pipeline.editions.findings.stories import of_stories
from pipeline.editions.findings.subject import of_subject
from pipeline.editions.findings.words import MOST_OF_ONE_CODE, fix_of, sentence
from pipeline.editions.rendered import Rendered, preview, sample_reader

__all__ = [
    "ASKED", "BLOCK", "CLIPPED_BYTES", "CONFIRM", "NEARLY_CLIPPED_BYTES", "NOTE", "Facts", "Finding", "Preflight",
    "as_json", "asked", "broken", "check", "fix_of", "sentence",
]  # fmt: skip

#: Codes of what only the sites' own answers tell.
ASKED = frozenset({"dead_link", "heavy_picture", "missing_picture"})
_ORDER = (BLOCK, CONFIRM, NOTE)


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
        """Plain data: `findings` with their sentences and remedies, `html_bytes`, `blocked`."""
        return {"blocked": self.blocked, "html_bytes": self.html_bytes, "findings": as_json(self.findings)}


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as rows keep them: code, level, where, params, fix, sentence."""
    return [asdict(found) | {"fix": fix_of(found), "sentence": sentence(found)} for found in findings]


def check(rendered: Rendered, content: EditionContent, *, facts: Facts) -> Preflight:
    """Everything worth saying before an edition leaves. Looks at what readers will get, not at what was meant.

    Measured on all blocks together, the largest message a reader can get.
    """
    markup = preview(rendered, doors=facts.doors, values=sample_reader(rendered))
    size = max(len(markup.encode()), facts.largest_bytes)
    found = [
        *of_subject(rendered, facts=facts),
        *of_stories(content, facts=facts),
        *of_addresses(content, facts=facts, links=rendered.links),
        *of_pictures(markup, content, facts=facts),
        *of_duties(rendered, content),
        *of_size(size),
        *of_marks(rendered, content),
        *of_colours(markup, content),
        *of_support(markup),
        *of_design(facts),
    ]
    return Preflight(findings=_worst_first(found), html_bytes=size)


def asked(content: EditionContent, *, facts: Facts) -> tuple[Finding, ...]:
    """Only what the sites' own answers tell: links that do not answer, pictures that are missing or too heavy."""
    found = [*of_addresses(content, facts=facts), *of_pictures("", content, facts=facts)]
    return _worst_first(finding for finding in found if finding.code in ASKED)


def broken(error: Exception) -> Preflight:
    """The preflight of an edition whose design cannot be used; the error's own sentence says why and where."""
    said = str(error)
    line = said.partition("ine ")[2].partition(",")[0]
    where = f"design:{line}" if line.isdecimal() else "design"
    finding = Finding(code="broken_template", level=BLOCK, where=where, params={"said": said[:500]})
    return Preflight(findings=(finding,), html_bytes=0)


def _worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(_not_too_many(findings), key=lambda finding: _ORDER.index(finding.level)))


def _not_too_many(findings: Iterable[Finding]) -> Iterator[Finding]:
    """What blocks is listed whole; of anything else the same thing is not said for ever."""
    said = Counter[str]()
    for finding in findings:
        said[finding.code] += 1
        if finding.level == BLOCK or said[finding.code] <= MOST_OF_ONE_CODE:
            yield finding
