"""A newsletter's settings as sentences an editor can check at six in the morning."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.audience.counts import Audience
from pipeline.audience.sunset import ANSWER_DAYS, UNSEEN_DAYS
from pipeline.editions.choosing.departures import zone_of
from pipeline.editions.models import Newsletter
from pipeline.kernel.pages import number
from pipeline.schedule.slots import WEEKDAYS, Cadence, CadenceError

_DAYS = dict(zip(WEEKDAYS, ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"), strict=True))  # fmt: skip
_UNAPPROVED: Mapping[str, str] = {
    Newsletter.Unapproved.HOLD: "it is held and nothing is sent",
    Newsletter.Unapproved.SEND: "it is sent as it is",
    Newsletter.Unapproved.LEAD: "only its lead story is sent",
}
_LATE: Mapping[str, str] = {
    "send": "is sent anyway",
    "render_again": "is rendered again with what is true then, and sent",
    "web_only": "is published on the web and not mailed",
    "hold": "is held until a person decides",
}
_BELOW: Mapping[str, str] = {
    Newsletter.BelowMinimum.SKIP: "it is skipped, and its stories wait for the next",
    Newsletter.BelowMinimum.SHORTEN: "it leaves all the same, shortened",
    Newsletter.BelowMinimum.FILL: "evergreens, then what readers liked, make up the number",
    Newsletter.BelowMinimum.ASK: "it is held until a person decides",
}
_KILL: Mapping[str, str] = {
    Newsletter.OnKill.RENDER_AGAIN: "batches that have not left are rendered again without it",
}
_TRACKING: Mapping[str, str] = {
    "off": "Nothing is recorded of what readers open or click.",
    "aggregate": "Clicks are counted; who clicked is forgotten when the day after next begins.",
    "consented": "Of readers who agreed, clicks are kept with their name; of others they are only counted.",
}


def settings(row: Newsletter) -> list[tuple[str, str]]:
    """(what it is about, the sentence), in the order a morning needs them."""
    return [
        ("When", when(row)),
        ("Cut-off", f"Stories are taken until {span(row.cutoff_before_s)} before it leaves; a draft is ready {span(row.compose_before_s)} before."),
        ("Approval", _approval(row)),
        ("Undo", f"An approval can be taken back for {span(row.undo_s)}." if row.undo_s else "An approval cannot be taken back."),
        ("Minimum", f"Below {row.minimum} {'story' if row.minimum == 1 else 'stories'} {_BELOW.get(row.below_minimum, row.below_minimum)}."),
        ("Age", f"No story is older than {row.max_age_h} h; the first edition looks back {row.first_window_h} h."),
        ("Carry-over", f"A story without room waits for {_count(row.carry_editions, 'edition')}." if row.carry_editions else "A story without room is not carried over."),
        ("Late", f"An edition more than {span(row.late_after_s)} late {_LATE.get(row.late_policy, row.late_policy)}; after {span(row.keeps_s)} nobody is mailed it any more."),
        ("Audience", _audience(row)),
        ("Sender", _sender(row)),
        ("Looks", _looks(row)),
        ("Archive", "Sent editions stand in the public archive." if row.is_archived else "Sent editions are not shown to the public."),
        ("Blocks", _blocks(row)),
        ("Who answers for it", f"{row.owner} does." if row.owner else "Nobody in particular."),
        ("Pace", f"Batches are spread over {span(row.pace_s)}." if row.pace_s else "Batches leave as fast as the mail servers take them."),
        ("A killed story", f"If one of its stories is killed while it is being sent, {_KILL.get(row.on_kill, 'the rest is held')}."),
        ("What is recorded", _TRACKING.get(row.tracking, "")),
        ("Silence", _silence(row)),
    ]  # fmt: skip


def _count(n: int, noun: str) -> str:
    return f"{number(n)} {noun}{'' if n == 1 else 's'}"


def _silence(row: Newsletter) -> str:
    if not row.asks_again:
        return "Nobody is asked whether they still want it, however long they were not seen."
    if not row.judges_silence:
        return "Nobody is asked whether they still want it: what its readers do is not kept, so nobody can be missed."
    return (
        f"Readers who agreed to be seen, and were not for {UNSEEN_DAYS} days, are asked whether they still want it; "
        f"without an answer or a click it rests for them after {ANSWER_DAYS} days, until they come back."
    )


def _sender(row: Newsletter) -> str:
    answers = f"; answers go to {row.reply_to}" if row.reply_to else ""
    return f"“{row.name}” comes from {row.from_name} <{row.from_address}>{answers}."


def _looks(row: Newsletter) -> str:
    if row.own_design:
        kept = row.design_version
        return (
            f"It is set in “{kept.design.name}”, version {kept.number}."
            if kept
            else "It is set in a design of its own."
        )
    told = [
        str(row.masthead[key])
        for key in ("paper", "typeface", "accent", "tagline", "logo_url")
        if row.masthead.get(key)
    ]
    return f"It is set in “{row.masthead.get('design') or 'morning'}”{': ' if told else ''}{', '.join(told)}."


def _blocks(row: Newsletter) -> str:
    named = [f"{block.title or block.kind}" for block in row.blocks.all()]
    return f"{', then '.join(named)}." if named else "It has none, and carries nothing."


def reach(row: Newsletter, found: Audience) -> str:
    """Whom its next edition is for, as a sum: who chose it, minus each kind of reader it passes over."""
    chose = f"{_count(found.chose, 'reader')} chose {row.name}"
    minus = [
        (found.suppressed, "suppressed"),
        (found.resting, "resting (asked, no answer)"),
        (found.paused, "paused"),
        (found.fewer, "who asked for fewer and had theirs"),
        (found.outside, f"outside “{row.segment.name}”" if row.segment else ""),
    ]
    told = [f"{number(n)} {why}" for n, why in minus if n]
    if not told:
        return f"{chose}, and {'gets' if found.due == 1 else 'all get' if found.due else 'nobody gets'} it."
    return f"{chose}, minus {', '.join(told)} = {number(found.due)}."


def span(seconds: int) -> str:
    """A length to the second, in the fewest words: 45 min, 1 h 30 min, 90 s."""
    if seconds < 120:
        return f"{seconds} s"
    parts = (
        (seconds // 86400, "d"),
        (seconds % 86400 // 3600, "h"),
        (seconds % 3600 // 60, "min"),
        (seconds % 60, "s"),
    )
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def when(row: Newsletter) -> str:
    """Its times, in its own zone."""
    zone = zone_of(row)
    try:
        cadence = Cadence.from_json(row.cadence)
    except CadenceError as error:
        return f"Its times cannot be read: {error}."
    at = " and ".join(f"{clock:%H:%M}" for clock in cadence.at)
    if cadence.kind == "interval":
        return f"Every {span(cadence.every_s)}."
    if cadence.kind == "manual":
        return "Only when somebody says so."
    if cadence.kind == "monthly":
        days = ", ".join("the last" if number == -1 else str(number) for number in cadence.days)
        return f"At {at} {zone} on day {days} of every month."
    days = ", ".join(_DAYS[WEEKDAYS[number]] for number in sorted(cadence.weekdays)) or "every day"
    clock = "on each reader’s own clock" if row.at_readers_clock else zone
    holidays = f", but for {_count(len(cadence.holidays), 'holiday')}" if cadence.holidays else ""
    return f"At {at} {clock}, {days}{holidays}; the wall clock counts when clocks change."


def _approval(row: Newsletter) -> str:
    if row.approval != Newsletter.Approval.EDITOR:
        return "It needs no approval: it leaves by itself."
    return f"An editor approves it; if nobody does by then, {_UNAPPROVED.get(row.unapproved, row.unapproved)}."


def _audience(row: Newsletter) -> str:
    part = f", of the segment “{row.segment.name}”" if row.segment else ""
    return (
        f"Readers who follow “{row.topic.name}”{part}. If there are {row.most_drift_pct} % more or fewer than usual, "
        "a person is asked first."
    )
