"""One reader's message from a compiled edition, against building the same message with the standard library.

Promise: at most 15 us for the whole MIME message of a 12-story digest, values checked; at most 25 us where every
reader chooses 12 of 60 stories freely, and no two choose alike. `cohorts` are arrangements that readers share.
"""

from __future__ import annotations

import base64
import json
import random
import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from pipeline.commands.rendering.render_edition import DOORS, edition_content, read_document
from pipeline.delivery.message.merge import EditionHeaders, Program, ReaderValues, compile_program
from pipeline.editions.content import EditionContent, FilledBlock
from pipeline.editions.render import render
from pipeline.editions.rendered import LinkTable, Rendered, preview, preview_text

SAMPLE = Path(__file__).parents[1] / "tests" / "samples" / "edition.json"
PROMISE_US, FREE_PROMISE_US = 15.0, 25.0
STORIES, CHOSEN, COHORTS = 60, 12, 32

Arrangement = tuple[int, ...]


def run(*, readers: int = 5000, rounds: int = 7) -> dict[str, Any]:
    """Microseconds of CPU a message, medians over `rounds`, and the ratio to the standard library in the same run."""
    content, _ = edition_content(read_document(SAMPLE), newsletter="morning")
    digest = _measured(content, arrangements=[], readers=readers, rounds=rounds)
    free = _measured(_each_its_own(content), arrangements=_free(readers), readers=readers, rounds=rounds)
    shared = _measured(_each_its_own(content), arrangements=_free(COHORTS), readers=readers, rounds=rounds)
    return {
        "name": "merge",
        "promise_us": PROMISE_US,
        "free_promise_us": FREE_PROMISE_US,
        "kept": digest["us_per_message"] <= PROMISE_US and free["us_per_message"] <= FREE_PROMISE_US,
        **digest,
        "free": free,
        "cohorts": shared,
    }


def _measured(content: EditionContent, *, arrangements: list[Arrangement], readers: int, rounds: int) -> dict[str, Any]:
    """Reader n gets arrangement n, round and round; without any, everybody gets the edition as written."""
    rendered = render(content, origin_links=LinkTable())
    program = _program(rendered)
    audience = _audience(rendered, readers)
    wanted: list[Arrangement | None] = [None] * readers
    if arrangements:
        wanted = [arrangements[n % len(arrangements)] for n in range(readers)]
    pairs = list(zip(audience, wanted, strict=True))

    def merge() -> None:
        for reader, blocks in pairs:
            (program if blocks is None else program.arranged(blocks)).message(reader)

    merged = [_cpu(merge) / readers for _ in range(rounds)]
    built = [_cpu(lambda: [_by_the_book(rendered, *pair) for pair in pairs[:50]]) / 50 for _ in range(3)]
    took, book = statistics.median(merged) * 1e6, statistics.median(built) * 1e6
    first = program if wanted[0] is None else program.arranged(wanted[0])
    return {
        "us_per_message": round(took, 2),
        "slowest_round_us": round(max(merged) * 1e6, 2),
        "messages_per_s": round(1e6 / took),
        "stdlib_us_per_message": round(book),
        "ratio_to_stdlib": round(book / took),
        "message_bytes": len(first.message(audience[0])),
        "links": len(rendered.links),
        "places": len(first.chunks) // 2,
    }


def _each_its_own(content: EditionContent) -> EditionContent:
    """Sixty blocks of one story, made of the sample's stories."""
    stories = content.stories()
    blocks = tuple(
        FilledBlock(
            kind="section",
            title=f"Topic {n}",
            stories=(replace(stories[n % len(stories)], url=f"https://news.example.org/{n}"),),
        )
        for n in range(STORIES)
    )
    return replace(content, blocks=blocks)


def _free(count: int) -> list[Arrangement]:
    dice = random.Random(3)
    return [tuple(dice.sample(range(1, STORIES + 1), CHOSEN)) for _ in range(count)]


def _program(rendered: Rendered) -> Program:
    headers = EditionHeaders(
        sender_name="The Morning Dispatch",
        sender="news@example.org",
        doors=DOORS,
        date=datetime(2026, 11, 23, 6, 30, tzinfo=UTC),
        list_name="The Morning Dispatch",
        list_id="morning.example.org",
        leave_mailbox="leave@example.org",
        feedback_id="1:morning:digest:dateline",
    )
    return compile_program(rendered, headers=headers)


def _audience(rendered: Rendered, count: int) -> list[ReaderValues]:
    dice = random.Random(7)

    def token() -> bytes:
        return base64.urlsafe_b64encode(dice.randbytes(19))[:26]

    return [
        ReaderValues(
            address=f"reader{number}@mail{number % 50}.example",
            tokens=[token() for _ in rendered.links],
            open_token=token(),
            leave_token=token(),
            view_token=token(),
            message_id=f"<417.{number}.k3@example.org>",
        )
        for number in range(count)
    ]


def _by_the_book(rendered: Rendered, reader: ReaderValues, blocks: Arrangement | None) -> bytes:
    """What a program without chunks would do for each reader: substitute, then let `email` encode."""
    message = EmailMessage(policy=SMTP)
    message["To"], message["Subject"], message["Message-ID"] = (
        reader.address,
        rendered.subject,
        reader.message_id,
    )
    message.set_content(preview_text(rendered, doors=DOORS, values=reader, blocks=blocks), cte="quoted-printable")
    message.add_alternative(
        preview(rendered, doors=DOORS, values=reader, blocks=blocks), subtype="html", cte="quoted-printable"
    )
    return message.as_bytes()


def _cpu(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
