"""The numbers of a page to take away: CSV that no spreadsheet runs, and JSON. Both hold what the page tells, floor and all."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from pipeline.audience.imports.exports import safe
from pipeline.desk.reasons import codes
from pipeline.desk.results.figures import Figures
from pipeline.engagement.keeping.reports import Told

COLUMNS = ("part", "name", "value", "of")


def as_json(one: Figures, earlier: list[Figures], seen: Told, page: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, by part."""
    curve = page["curve"]
    return {
        "newsletter": one.name,
        "edition": one.edition_id,
        "slot_at": one.slot_at.isoformat(),
        "mailed": one.mailed,
        "delivered": one.delivered,
        "human_clickers": one.clickers,
        "left_within_24_h": one.left,
        "complaints": one.complaints,
        "opens": {"reliable": False, **seen.opens},
        "not_counted": [row._asdict() | {"why": codes.rule(row.rule)} for row in seen.filtered],
        "places": [{name: row[name] for name in ("number", "slot", "what", "people")} for row in page["places"]],
        "sections": [{name: row[name] for name in ("name", "stories", "clicks")} for row in page["sections"]],
        "segment": page["segment"],
        "mail_domains": [_group(row) for row in page["domains"]],
        "departures": [_group(row) for row in page["departures"]],
        "replies": None,
        "half_of_clicks_within_min": curve.half_min if curve else None,
        "clicks_by_time": [{"after": point.after, "clicks": point.n} for point in curve.points] if curve else [],
        "earlier": [
            {"slot_at": row.slot_at.isoformat(), "delivered": row.delivered, "human_clickers": row.clickers, "left_within_24_h": row.left, "complaints": row.complaints}
            for row in earlier
        ],
        "counted_at": seen.computed_at.isoformat() if seen.computed_at else None,
        "readers_not_counted_as_they_wish": "counted only as delivered",
    }  # fmt: skip


def _group(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("name", "readers", "delivered", "turned_away", "complaints", "left")}


def as_csv(whole: Mapping[str, Any]) -> str:
    """A line for each number of `as_json`."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([safe("" if value is None else value) for value in row] for row in _lines(whole))
    return out.getvalue()


def _lines(whole: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any, Any]]:
    for name in ("newsletter", "slot_at", "mailed", "delivered", "human_clickers", "left_within_24_h", "complaints"):
        yield "edition", name, whole[name], ""
    for name, n in whole["opens"].items():
        if name != "reliable":
            yield "opens, not reliable", name, n, ""
    for row in whole["not_counted"]:
        yield "not counted", f"{row['kind']} {row['verdict']}", row["events"], row["rule"]
    for row in whole["places"]:
        yield "place", row["what"], row["people"], row["slot"]
    for row in whole["sections"]:
        yield "section", row["name"], row["clicks"], f"{row['stories']} stories"
    for part, rows in (("mail domain", whole["mail_domains"]), ("departure", whole["departures"])):
        for row in rows:
            for name in ("delivered", "turned_away", "complaints", "left"):
                yield f"{part}, {name}", row["name"], row[name], row["readers"]
    for row in whole["clicks_by_time"]:
        yield "clicks by time", row["after"], row["clicks"], ""
    for row in whole["earlier"]:
        yield "earlier edition", row["slot_at"], row["human_clickers"], row["delivered"]
