"""What preflight found, as an editor works through it: by weight, each with a place to jump to, and the size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.desk.editions import preview
from pipeline.desk.editions.stories import title_of
from pipeline.editions.acts.ordering import arranged
from pipeline.editions.choosing.rules import SPONSOR
from pipeline.editions.models import Block, Edition, Item, Newsletter
from pipeline.editions.preflight import BLOCK, CLIPPED_BYTES, CONFIRM, NEARLY_CLIPPED_BYTES, NOTE

LEVELS = (
    (BLOCK, "Blocks sending", "trouble"),
    (CONFIRM, "Please confirm", "needs"),
    (NOTE, "Nice to have", "waiting"),
)
#: What the link beside a finding says, by the remedy preflight names.
FIXES: Mapping[str, str] = {
    "write_subject": "Write the subject",
    "write_preheader": "Write the preview line",
    "place_story": "To the place",
    "write_headline": "To the story",
    "take_out": "To the story",
    "compare_with_site": "Compare the two",
    "move_story": "To the story",
    "write_address": "To the story",
    "open_link": "To the story",
    "describe_picture": "To the story",
    "choose_picture": "To the story",
    "show_text": "Look at it",
}
#: Remedies that are not on this page.
ELSEWHERE: Mapping[str, str] = {
    "open_design": "In the newsletter’s design.",
    "open_settings": "In the newsletter’s settings.",
    "choose_colours": "In the newsletter’s colours.",
}


def grouped(row: Edition, blocks: Sequence[Block], items: Sequence[Item], *, written: bool) -> list[dict[str, Any]]:
    """The findings by level, the worst first. `written` is whether this page has the fields of subject and note."""
    places = _places(row, blocks, items, written=written)
    titles = {title_of(block): f"block-{block.position}" for block in blocks}
    found = []
    for level, title, tone in LEVELS:
        here = [_finding(f, places, titles) for f in row.preflight if f.get("level") == level]
        if here:
            found.append({"title": title, "tone": tone, "count": len(here), "findings": here})
    return found


def _finding(finding: Mapping[str, Any], places: Mapping[str, str], titles: Mapping[str, str]) -> dict[str, str]:
    where, fix = str(finding.get("where", "")), str(finding.get("fix", ""))
    anchor = places.get(where, "")
    if finding.get("code") == "short_block":  # an empty block is not in the content, so preflight has no place for it
        anchor = titles.get(str(finding.get("params", {}).get("block", "")), anchor)
    return {
        "sentence": str(finding["sentence"]),
        "anchor": anchor,
        "fix": FIXES.get(fix, "Go there") if anchor else ELSEWHERE.get(fix, ""),
    }


def _places(row: Edition, blocks: Sequence[Block], items: Sequence[Item], *, written: bool) -> dict[str, str]:
    """Where findings point, as anchors. Preflight counts what the content has: the note, and no empty block."""
    found, number, picks = {"blocks": "items", "html": "look", "text": "look"}, 0, arranged(items)
    if written:
        found |= {"subject": "subject", "preheader": "preheader"}
    if row.note:
        number = 1
        found |= {"block/1": "note"} if written else {}
    for block in blocks:
        promised = block.kind == SPONSOR and (block.rule.get("story") or {}).get("headline")
        if not promised and block.position not in picks:
            continue
        number += 1
        found[f"block/{number}"] = f"block-{block.position}"
        for place, item in enumerate(picks.get(block.position, []), start=1):
            found[f"story/{number}/{place}"] = f"story-{item.article_id}"
        if promised:
            found[f"story/{number}/1"] = f"block-{block.position}"
    return found


def line_of_design(row: Edition) -> dict[str, Any] | None:
    """The line of the newsletter's own design that cannot be used, where preflight names one."""
    wheres = (str(f.get("where", "")) for f in row.preflight if f.get("level") == BLOCK)
    number = next((where[7:] for where in wheres if where.startswith("design:") and where[7:].isdecimal()), "")
    lines = row.newsletter.own_design.splitlines()
    if not number or not 0 < int(number) <= len(lines):
        return None
    return {"number": int(number), "text": lines[int(number) - 1].strip()[:300]}


def meter(row: Edition) -> dict[str, Any]:
    """How much of what mailboxes show whole is used: by the largest letter anybody can get."""
    size = row.rendering.largest_bytes or len(preview.markup(row).encode())
    return {
        "size": f"{round(size / 1000)} KB of {CLIPPED_BYTES // 1000}",
        "share": min(100, round(100 * size / CLIPPED_BYTES)),
        "amber": round(100 * NEARLY_CLIPPED_BYTES / CLIPPED_BYTES),
        "said": f"Amber from {NEARLY_CLIPPED_BYTES // 1000} KB; Gmail clips what is longer than about 102 KB.",
        "largest": row.newsletter.reader_choice != Newsletter.ReaderChoice.ALL,
    }
