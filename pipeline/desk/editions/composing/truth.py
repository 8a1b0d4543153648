"""The letter as it will be, in figures: how its lines look in inboxes, how long it is, whether everything in it works."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import Any

from pipeline.audience.care.finding import find
from pipeline.audience.care.patience import TookTooLong, within
from pipeline.audience.models import Segment, Subscriber
from pipeline.audience.segments.compiling import one_of
from pipeline.audience.segments.rules import UnreadableRule, parsed
from pipeline.desk import words
from pipeline.desk.editions import preview
from pipeline.desk.editions.composing.history import listed
from pipeline.editions.assemble import WORDS_A_MINUTE
from pipeline.editions.findings.subject import LONGEST_SUBJECT, SHOWN_BY_PHONE
from pipeline.editions.models import Edition
from pipeline.kernel.pages import local

PATIENCE_MS = 800
MOST_SEGMENTS = 50
#: Inboxes by width: what each is called, characters of the subject, characters of the preview line beside or below it.
INBOXES = (
    ("Watch or narrow list", 28, 0),
    ("Phone", SHOWN_BY_PHONE, SHOWN_BY_PHONE),
    ("Wide window", LONGEST_SUBJECT, 60),
)
_IMAGE, _ALT = re.compile(r"<img\b[^>]*>", re.IGNORECASE), re.compile(r'\balt="([^"]*)"', re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+|\[\[dl:\w+\]\]")


def inboxes(subject: str, preheader: str) -> list[dict[str, str]]:
    """The two lines at three widths, cut about where inboxes cut them."""
    return [
        {"name": name, "subject": _cut(subject, first), "preheader": _cut(preheader, second) if second else ""}
        for name, first, second in INBOXES
    ]


def meters(row: Edition, *, zone: str) -> list[dict[str, str]]:
    """What stands below the letter: each with its tone, told in words. Nothing is asked of the database."""
    codes = Counter(str(finding.get("code", "")) for finding in row.preflight)
    return [_links(row, codes, zone=zone), _pictures(row, codes), _contrast(codes), _reading(row), _subject(row)]


def _links(row: Edition, codes: Counter[str], *, zone: str) -> dict[str, str]:
    count, at = len(row.rendering.links), row.rendering.asked_at
    if at is None:
        return _meter("Links", f"{count}; the sites are being asked whether they answer", "waiting")
    dead, said = codes["dead_link"], f"asked {local(at, zone, '%H:%M')}"
    if dead:
        return _meter(
            "Links", f"{words.count(dead, 'story leads', 'stories lead')} to nothing that answers, {said}", "trouble"
        )
    return _meter("Links", f"{count}, all stories answer, {said}", "done")


def _pictures(row: Edition, codes: Counter[str]) -> dict[str, str]:
    alts = [_ALT.search(image) for image in _IMAGE.findall(row.rendering.html)]
    bare, without = alts.count(None), codes["picture_without_words"]
    told = sum(1 for alt in alts if alt and alt[1].strip())
    total = told + max(bare, without)
    if not total:
        return _meter("Pictures", "none", "done")
    tone = "done" if told == total else "needs"
    return _meter("Pictures", f"{told} of {total} say in words what they show", tone)


def _contrast(codes: Counter[str]) -> dict[str, str]:
    low = codes["low_contrast"]
    if low:
        return _meter("Contrast", f"{words.count(low, 'pair')} of colours too faint to read", "needs")
    return _meter("Contrast", "every text stands out, light and dark", "done")


def _reading(row: Edition) -> dict[str, str]:
    count = len(_ADDRESS.sub(" ", row.rendering.text).split())
    minutes = max(1, round(count / WORDS_A_MINUTE))
    return _meter("Reading time", f"about {minutes} min, {count} words", "done")


def _subject(row: Edition) -> dict[str, str]:
    length = len(row.subject)
    if length > LONGEST_SUBJECT:
        return _meter("Subject", f"{length} characters; more than {LONGEST_SUBJECT} are cut nearly everywhere", "needs")
    more = f"; phones cut it after about {SHOWN_BY_PHONE}" if length > SHOWN_BY_PHONE else "; phones show all of it"
    return _meter("Subject", f"{words.count(length, 'character')}{more}", "done")


def _meter(name: str, said: str, tone: str) -> dict[str, str]:
    return {"name": name, "said": said, "tone": tone}


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def somebody(row: Edition, *, address: str, segment: str, now: datetime) -> dict[str, Any] | None:
    """The reader whose letter is asked for, by address or as one of a segment: whom, in words, and what they follow.

    None where nobody is asked for; `person` is None where nobody is found.
    """
    if not address and not segment.isdecimal():
        return None
    if address:
        found = find(asked=address, by_part=False).readers
        person, which = (found[0] if found else None), f"No reader has the address {address}."
    else:
        person, which = _one_of(row, int(segment[:18]), now=now)
    if person is None:
        return {"person": None, "said": f"{which} The letter is shown as it was written.", "follows": []}
    live = set(person.subscriptions.filter(left_at=None).values_list("topic__slug", flat=True))
    follows = [slug for slug in preview.topics_of(row) if slug in live]
    return {"person": str(person), "said": _said(row, person, live, follows), "follows": follows}


def _one_of(row: Edition, segment_id: int, *, now: datetime) -> tuple[Subscriber | None, str]:
    segment = Segment.objects.filter(id=segment_id).first()
    if segment is None:
        return None, "There is no such segment."
    try:
        with within(PATIENCE_MS):
            found = one_of(parsed(segment.rule), now=now, topic_id=row.newsletter.topic_id)
    except UnreadableRule:
        return None, f"The rule of {segment.name} cannot be read."
    except TookTooLong:
        return None, f"Finding one of {segment.name} took too long; choose by address."
    person = None if found is None else Subscriber.objects.filter(id=found).first()
    return person, f"Nobody of {segment.name} gets this newsletter now."


def _said(row: Edition, person: Subscriber, live: set[str], follows: list[str]) -> str:
    name = row.newsletter.name
    if row.newsletter.topic.slug not in live:
        return f"{person} does not follow {name}, so gets no letter of it. This is what it would be."
    spared = (
        " Stories they had from another newsletter this week are left out for them."
        if row.newsletter.remembers_readers
        else ""
    )
    if not preview.topics_of(row):
        return f"{person} gets the letter as everybody does.{spared}"
    which = f"follows {listed(follows)} of its topics" if follows else "follows none of its topics"
    return f"{person} {which}.{spared}"


def segments() -> list[tuple[int, str]]:
    """Those to choose one of. One query."""
    return list(Segment.objects.order_by("name").values_list("id", "name")[:MOST_SEGMENTS])
