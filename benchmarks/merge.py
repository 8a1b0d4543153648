"""One reader's message from a compiled edition, against building the same message with the standard library.

Promise: at most 15 us for the whole MIME message of a 12-story digest, values checked.
"""

from __future__ import annotations

import base64
import json
import random
import statistics
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from pipeline.commands.render_edition import DOORS, edition_content, read_document
from pipeline.delivery.merge import EditionHeaders, ReaderValues, compile_program
from pipeline.editions.render import render
from pipeline.editions.rendered import LinkTable, Rendered, preview, preview_text

SAMPLE = Path(__file__).parents[1] / "tests" / "samples" / "edition.json"
PROMISE_US = 15.0


def run(*, readers: int = 5000, rounds: int = 7) -> dict[str, Any]:
    """Microseconds of CPU a message, medians over `rounds`, and the ratio to the standard library in the same run."""
    content, _ = edition_content(read_document(SAMPLE), newsletter="morning")
    rendered = render(content, origin_links=LinkTable())
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
    program = compile_program(rendered, headers=headers)
    audience = _audience(rendered, readers)
    merged = [_cpu(lambda: [len(program.message(reader)) for reader in audience]) / readers for _ in range(rounds)]
    built = [_cpu(lambda: [_by_the_book(rendered, reader) for reader in audience[:50]]) / 50 for _ in range(3)]
    took = statistics.median(merged) * 1e6
    return {
        "name": "merge",
        "promise_us": PROMISE_US,
        "us_per_message": round(took, 2),
        "kept": took <= PROMISE_US,
        "slowest_round_us": round(max(merged) * 1e6, 2),
        "messages_per_s": round(1e6 / took),
        "stdlib_us_per_message": round(statistics.median(built) * 1e6),
        "ratio_to_stdlib": round(statistics.median(built) * 1e6 / took),
        "message_bytes": len(program.message(audience[0])),
        "links": len(rendered.links),
        "places": len(program.chunks) // 2,
    }


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


def _by_the_book(rendered: Rendered, reader: ReaderValues) -> bytes:
    """What a program without chunks would do for each reader: substitute, then let `email` encode."""
    message = EmailMessage(policy=SMTP)
    message["To"], message["Subject"], message["Message-ID"] = (
        reader.address,
        rendered.subject,
        reader.message_id,
    )
    message.set_content(preview_text(rendered, doors=DOORS, values=reader), cte="quoted-printable")
    message.add_alternative(preview(rendered, doors=DOORS, values=reader), subtype="html", cte="quoted-printable")
    return message.as_bytes()


def _cpu(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
