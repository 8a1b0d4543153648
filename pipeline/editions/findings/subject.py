"""The two lines a reader sees before opening."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.editions.findings.finding import BLOCK, CONFIRM, NOTE, Facts, Finding
from pipeline.editions.rendered import Rendered

LONGEST_SUBJECT = 70
#: Characters of a subject that Gmail on a desk and a phone held upright show; both give or take a few.
SHOWN_BY_GMAIL, SHOWN_BY_PHONE = 70, 46
_WORD = re.compile(r"\w+")


def of_subject(rendered: Rendered, *, facts: Facts) -> Iterator[Finding]:
    """What is wrong with the subject and the preview line."""
    subject, preheader = rendered.subject, rendered.preheader
    if not subject:
        yield Finding(code="empty_subject", level=BLOCK, where="subject")
    if len(subject) > LONGEST_SUBJECT:
        shown = {"gmail": f"{subject[:SHOWN_BY_GMAIL]}…", "phone": f"{subject[:SHOWN_BY_PHONE]}…"}
        params = {"length": len(subject), "limit": LONGEST_SUBJECT, **shown}
        yield Finding(code="long_subject", level=CONFIRM, where="subject", params=params)
    if subject and _folded(subject) in {_folded(recent) for recent in facts.recent_subjects}:
        yield Finding(code="repeated_subject", level=CONFIRM, where="subject", params={"subject": subject})
    if not preheader:
        yield Finding(code="empty_preheader", level=NOTE, where="preheader")
    elif _says_again(preheader, subject):
        yield Finding(code="repeated_preheader", level=NOTE, where="preheader")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _says_again(preheader: str, subject: str) -> bool:
    """Whether the preview line begins as the subject does, or adds no word to it."""
    again, first = _WORD.findall(preheader.casefold()), _WORD.findall(subject.casefold())
    return bool(first) and (again[: len(first)] == first or set(again) <= set(first))
