"""A rule as a condition on `reader`, a row of dateline_subscriber. Values are parameters, never text of the statement."""

# ruff: noqa: S608 - every value is a parameter; the text is our own

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from pipeline.audience.recipients import RECIPIENTS
from pipeline.audience.segments.rules import (
    Active,
    AllOf,
    AnyOf,
    Clicks,
    Domain,
    Follows,
    Inactive,
    Joined,
    Language,
    Not,
    Rule,
)  # fmt: skip

#: Chooses nobody: what a segment that cannot be read means to a mailing.
NOBODY = "FALSE"


def segment_clause(rule: Rule, *, now: datetime) -> tuple[str, dict[str, Any]]:
    """(condition, parameters): never NULL, and its names begin with segment_, so that it joins any WHERE."""
    values: dict[str, Any] = {}

    def value(given: object) -> str:
        name = f"segment_{len(values)}"
        values[name] = given
        return f"%({name})s"

    return _condition(rule, value, now), values


def count(rule: Rule, *, now: datetime, topic_id: int | None = None) -> int:
    """How many readers it chooses now: of a topic's recipients, or of all who follow anything."""
    condition, values = segment_clause(rule, now=now)
    live = "EXISTS (SELECT 1 FROM dateline_subscription choice WHERE choice.subscriber_id = reader.id AND choice.left_at IS NULL)"
    whom = live if topic_id is None else f"reader.id IN (SELECT id FROM ({RECIPIENTS}) AS chosen)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM dateline_subscriber reader WHERE reader.state = 'active' AND {whom} AND ({condition})",
            values | {"topic": topic_id},
        )
        return int(cursor.fetchone()[0])


def one_of(rule: Rule, *, now: datetime, topic_id: int) -> int | None:
    """The number of some reader of a topic's recipients that it chooses now; None where it chooses nobody of them."""
    condition, values = segment_clause(rule, now=now)
    whom = f"reader.id IN (SELECT id FROM ({RECIPIENTS}) AS chosen)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT reader.id FROM dateline_subscriber reader WHERE reader.state = 'active' AND {whom} AND ({condition}) LIMIT 1",
            values | {"topic": topic_id},
        )
        found = cursor.fetchone()
    return int(found[0]) if found else None


def _condition(rule: Rule, value: Callable[[object], str], now: datetime) -> str:  # noqa: PLR0911 - one for each kind of rule
    def since(days: int) -> str:
        return value(now - timedelta(days=days))

    match rule:
        case AllOf(rules):
            return "(" + " AND ".join(_condition(one, value, now) for one in rules) + ")"
        case AnyOf(rules):
            return "(" + " OR ".join(_condition(one, value, now) for one in rules) + ")"
        case Not(inner):
            return f"(NOT {_condition(inner, value, now)})"
        case Clicks(section, at_least, days):
            return (
                "EXISTS (SELECT 1 FROM dateline_interest i WHERE i.subscriber_id = reader.id"
                f" AND i.section = {value(section)} AND i.clicks >= {value(at_least)} AND i.last_at >= {since(days)})"
            )
        case Follows(topic):
            return (
                "EXISTS (SELECT 1 FROM dateline_subscription f JOIN dateline_topic t ON t.id = f.topic_id"
                f" WHERE f.subscriber_id = reader.id AND f.left_at IS NULL AND t.slug = {value(topic)})"
            )
        case Joined(after, before):
            bounds = [f"reader.joined_at {sign} {value(at)}" for sign, at in ((">=", after), ("<", before)) if at]
            return f"coalesce({' AND '.join(bounds)}, FALSE)"
        case Domain(names):
            return f"split_part(reader.address, '@', -1) = ANY({value(list(names))})"
        case Language(code):
            return (
                f"(lower(reader.language) = {value(code)} OR starts_with(lower(reader.language), {value(code + '-')}))"
            )
        case Active(days):
            return f"coalesce(reader.last_human_at >= {since(days)}, FALSE)"
        case Inactive(days):
            return f"(reader.tracking = 'consented' AND coalesce(reader.last_human_at < {since(days)}, FALSE))"
