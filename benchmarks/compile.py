"""An edition from its content to HTML, text and chunks: once per edition, and again at every keystroke of a preview.

Promise: rendering a 12-story digest (Jinja, MJML, links numbered) takes at most 5 ms, and its HTML at most 60 KB,
in every design.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.commands.rendering.render_edition import DOORS, edition_content, read_document
from pipeline.delivery.message.merge import EditionHeaders, compile_program
from pipeline.editions.content import EditionContent
from pipeline.editions.preflight import Facts, check
from pipeline.editions.render import compiled, mjml_source, render
from pipeline.editions.rendered import LinkTable

SAMPLE = Path(__file__).parents[1] / "tests" / "samples" / "edition.json"
DESIGNS = SAMPLE.parents[2] / "templates" / "email" / "editions"
PROMISE_MS, PROMISE_BYTES = 5.0, 60_000


def run(*, rounds: int = 60) -> dict[str, Any]:
    """Medians in milliseconds of CPU; the first rendering, which loads the templates, apart."""
    content, _ = edition_content(read_document(SAMPLE), newsletter="morning")
    first = _ms(lambda: render(content, origin_links=LinkTable()), 1)
    rendered = render(content, origin_links=LinkTable())
    source = mjml_source(content, origin_links=LinkTable())
    headers = EditionHeaders(
        sender_name="Dispatch",
        sender="news@example.org",
        doors=DOORS,
        date=content.slot_at,
        list_id="d.example.org",
    )
    findings = check(rendered, content, facts=Facts(doors=DOORS))
    took, largest = _designs(content, rounds)
    return {
        "name": "compile",
        "promise_ms": PROMISE_MS,
        "render_ms": max(took.values()),
        "designs_ms": took,
        "kept": max(took.values()) <= PROMISE_MS and largest <= PROMISE_BYTES,
        "first_render_ms": round(first, 1),
        "mjml_ms": round(_ms(lambda: compiled(source), rounds), 2),
        "preflight_ms": round(_ms(lambda: check(rendered, content, facts=Facts(doors=DOORS)), rounds), 2),
        "chunks_ms": round(_ms(lambda: compile_program(rendered, headers=headers), rounds), 2),
        "html_bytes": findings.html_bytes,
        "largest_html_bytes": largest,
    }


def _designs(content: EditionContent, rounds: int) -> tuple[dict[str, float], int]:
    """Medians by design, and the bytes of the longest."""
    took, largest = {}, 0
    for design in sorted(path.name for path in DESIGNS.iterdir()):
        dressed = replace(content, masthead=replace(content.masthead, design=design))
        rendered = render(dressed, origin_links=LinkTable())
        largest = max(largest, check(rendered, dressed, facts=Facts(doors=DOORS)).html_bytes)
        took[design] = round(_ms(partial(render, dressed, origin_links=LinkTable()), rounds), 2)
    return took, largest


def _ms(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken) * 1000


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
