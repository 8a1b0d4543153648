"""What people do to a newsletter's calendar: a day without it, a pause, its end, other times.

Three ways not to leave, and they differ in what becomes of the stories. A day that is *skipped* has no edition and its
stories wait for the next one. A newsletter that is *paused* has none until somebody resumes it, and whoever resumes
says what becomes of the stories of the gap. One that *ended* stays ended. Each verb answers with a sentence of what
happens now, stands in the journal, and refuses to change what has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from pipeline.editions.acts.review import Refused
from pipeline.editions.choosing.departures import zone_of
from pipeline.editions.models import Edition, Newsletter
from pipeline.kernel.clocks import zone_named
from pipeline.kernel.templating import clock
from pipeline.kernel.templating import day as day_words
from pipeline.schedule.plan import plan_one
from pipeline.schedule.slots import Cadence, CadenceError, Slot, skips, slots
from pipeline.staff.journal import note
from pipeline.staff.models import Grant, JournalEntry, User
from pipeline.staff.people import may_touch

NOT_YOURS = "Your role may look at the calendar but not change it. Nothing was changed; ask a desk head."
#: A year and a day: whoever has nothing in it has nothing ahead.
AHEAD = timedelta(days=366)
FARTHEST_YEARS = 100
_UNTOUCHED = (Edition.State.PLANNED, Edition.State.COLLECTING, Edition.State.READY, Edition.State.HELD)
_LEAVING = (Edition.State.APPROVED, Edition.State.SENDING, Edition.State.SENT)


class Gap(StrEnum):
    """What becomes of the stories that came while a newsletter was paused."""

    LEAVE = "leave"  #: they stay where they are: the next edition begins with what comes from now on
    CARRY = "carry"  #: they stay candidates, as far as the newsletter's own age allows


@transaction.atomic
def skip_day(*, newsletter_id: int, day: date, reason: str, actor: User, now: datetime) -> str:
    """No edition on this day of the newsletter's own zone. Raises Refused."""
    newsletter, cadence = _open(newsletter_id, actor=actor)
    reason = _reason(reason)
    _within_reach(day, now=now)
    _not_past(newsletter, cadence, day, now=now)
    that_day = _on(newsletter, day)
    if that_day.filter(state__in=_LEAVING).exists():
        raise Refused(f"An edition of {_day(day)} is approved or has left. Take it back first; nothing was changed.")
    _keep(newsletter, {**newsletter.cadence, "skip": {**cadence.to_json().get("skip", {}), day.isoformat(): reason}})
    that_day.filter(state__in=_UNTOUCHED).update(
        state=Edition.State.SKIPPED, code="holiday", params={"why": reason}, ended_at=now, revision=F("revision") + 1
    )
    note(
        verb="skip_day",
        subject="newsletter",
        subject_id=newsletter.id,
        now=now,
        actor=actor,
        reason=reason,
        day=str(day),
    )
    return (
        f"{newsletter.name} does not leave on {_day(day)}: {reason}. Collecting goes on, and its stories stay "
        f"candidates for the next edition. {_next_words(newsletter, now=now)}"
    )


@transaction.atomic
def leave_after_all(*, newsletter_id: int, day: date, actor: User, now: datetime) -> str:
    """Take back a day that was skipped, or leave on a holiday. Raises Refused."""
    newsletter, cadence = _open(newsletter_id, actor=actor)
    _within_reach(day, now=now)
    if (why := cadence.day_off(day)) is None:
        raise Refused(f"{newsletter.name} has no day off on {_day(day)}. Nothing was changed.")
    _not_past(newsletter, cadence, day, now=now)
    record = cadence.to_json()
    record["skip"] = {on: told for on, told in record.get("skip", {}).items() if on != day.isoformat()}
    if Cadence.from_json(record).day_off(day) is not None:
        record["except"] = sorted({*record.get("except", []), day.isoformat()})
    _keep(newsletter, record)
    _on(newsletter, day).filter(state=Edition.State.SKIPPED, code="holiday", slot_at__gt=now).update(
        state=Edition.State.PLANNED, code="", params={}, ended_at=None, revision=F("revision") + 1
    )
    note(verb="leave_after_all", subject="newsletter", subject_id=newsletter.id, now=now, actor=actor, day=str(day))
    return (
        f"{newsletter.name} leaves on {_day(day)} all the same (it was off: {why}). {_next_words(newsletter, now=now)}"
    )


@transaction.atomic
def pause(*, newsletter_id: int, reason: str, actor: User, now: datetime) -> str:
    """No edition until it is resumed. What is sending goes on; what a person approved still leaves. Raises Refused."""
    newsletter, _ = _open(newsletter_id, actor=actor)
    reason = _reason(reason)
    if newsletter.state == Newsletter.State.PAUSED:
        raise Refused(f"{newsletter.name} is paused already. Nothing was changed.")
    Newsletter.objects.filter(id=newsletter.id).update(state=Newsletter.State.PAUSED)
    note(verb="pause", subject="newsletter", subject_id=newsletter.id, now=now, actor=actor, reason=reason)
    return (
        f"{newsletter.name} is paused: {reason}. Nothing is collected for it, and its slots pass and say so, until somebody "
        f"resumes it. {_approved_words(newsletter)}"
    ).strip()


@transaction.atomic
def resume(*, newsletter_id: int, gap: Gap, actor: User, now: datetime) -> str:
    """Let a paused newsletter run again. No slot that passed is made up for; `gap` decides about its stories. Raises Refused."""
    newsletter, cadence = _open(newsletter_id, actor=actor)
    if newsletter.state != Newsletter.State.PAUSED:
        raise Refused(f"{newsletter.name} is not paused. Nothing was changed.")
    passed = _pass_gap(newsletter, now=now)
    record = {**cadence.to_json(), "collects_from": now.isoformat() if gap is Gap.LEAVE else ""}
    _keep(newsletter, {key: value for key, value in record.items() if value})
    Newsletter.objects.filter(id=newsletter.id).update(state=Newsletter.State.ACTIVE)
    note(
        verb="resume",
        subject="newsletter",
        subject_id=newsletter.id,
        now=now,
        actor=actor,
        gap=gap.value,
        passed=passed,
    )
    kept = (
        "Stories that came meanwhile are left where they are."
        if gap is Gap.LEAVE
        else f"Stories that came meanwhile stay candidates while they are no older than {newsletter.max_age_h} h."
    )
    slots_ = "no slot" if not passed else "1 slot" if passed == 1 else f"{passed} slots"
    return f"{newsletter.name} runs again; {slots_} passed and nothing is sent for them. {kept} {_next_words(newsletter, now=now)}"


@transaction.atomic
def end(*, newsletter_id: int, reason: str, actor: User, now: datetime, last_day: date | None = None) -> str:
    """End it now, or after its edition of `last_day`. Raises Refused."""
    newsletter, cadence = _open(newsletter_id, actor=actor)
    reason = _reason(reason)
    if last_day is not None:
        _within_reach(last_day, now=now)
    if last_day is not None and last_day < _today(newsletter, now):
        raise Refused(f"{_day(last_day)} has passed. Nothing was changed: end it today, or on a day to come.")
    if last_day is not None:
        _keep(newsletter, {**cadence.to_json(), "end": last_day.isoformat()})
        _forget(newsletter, Q(slot_at__gt=_midnight_after(newsletter, last_day)))
        words = f"{newsletter.name} ends with its edition of {_day(last_day)}: {reason}."
    else:
        Newsletter.objects.filter(id=newsletter.id).update(state=Newsletter.State.ENDED)
        _forget(newsletter, Q(slot_at__gt=now))
        words = f"{newsletter.name} has ended: {reason}. Nothing is collected or sent any more. {_approved_words(newsletter)}"
    note(
        verb="end", subject="newsletter", subject_id=newsletter.id, now=now, actor=actor, reason=reason,
        last_day=str(last_day or ""),
    )  # fmt: skip
    return f"{words.strip()} Its readers stay subscribed until they leave or are told."


@transaction.atomic
def change(*, newsletter_id: int, cadence: Mapping[str, Any], actor: User, now: datetime) -> str:
    """Other times, other holidays. Editions nobody has touched follow; others stay where they are. Raises Refused."""
    newsletter, _ = _open(newsletter_id, actor=actor)
    try:
        kept = Cadence.from_json(cadence)
    except CadenceError as error:
        raise Refused(f"That is no cadence ({error}). Nothing was changed.") from error
    if kept.end and kept.end < _today(newsletter, now):
        raise Refused(f"{_day(kept.end)} has passed. Nothing was changed: end it today, or on a day to come.")
    before = newsletter.cadence
    _keep(newsletter, kept.to_json())
    _forget(newsletter, Q(slot_at__gt=now))
    plan_one(newsletter, now=now)
    note(
        verb="change_cadence", subject="newsletter", subject_id=newsletter.id, now=now, actor=actor, before=before,
        after=newsletter.cadence,
    )  # fmt: skip
    stay = newsletter.editions.filter(slot_at__gt=now).exclude(state__in=[Edition.State.PLANNED, Edition.State.SKIPPED])
    count = stay.count()
    stays = f" {count} being made already {'stays' if count == 1 else 'stay'} at the old time." if count else ""
    return f"{newsletter.name} has other times.{stays} {_next_words(newsletter, now=now)}"


def upcoming(newsletter: Newsletter, *, now: datetime, most: int = 5) -> list[Slot]:
    """Its next departures and days off, in order; a day off carries its reason, a night of changed clocks its rule."""
    cadence = Cadence.from_json(newsletter.cadence)
    if newsletter.state == Newsletter.State.ENDED:
        return []
    ahead = slots(cadence, after=now, until=now + AHEAD) + skips(cadence, after=now, until=now + AHEAD)
    return sorted(ahead, key=lambda slot: slot.at)[:most]


def _open(newsletter_id: int, *, actor: User) -> tuple[Newsletter, Cadence]:
    if not actor.may_edit:
        raise Refused(NOT_YOURS)
    newsletter = Newsletter.objects.select_for_update(of=("self",)).get(id=newsletter_id)
    if not may_touch(actor, Grant.Kind.NEWSLETTER, newsletter_id):
        raise Refused(f"You work for other newsletters than {newsletter.name}. Nothing was changed.")
    if newsletter.state == Newsletter.State.ENDED:
        raise Refused(f"{newsletter.name} has ended. Nothing was changed: an ended newsletter stays ended.")
    try:
        return newsletter, Cadence.from_json(newsletter.cadence)
    except CadenceError as error:
        raise Refused(f"Its cadence cannot be read ({error}). Nothing was changed: correct it first.") from error


def _reason(said: str) -> str:
    reason = " ".join(said.split())[:200].rstrip(".")
    if not reason:
        raise Refused("Say why, in a few words: readers of the calendar will ask. Nothing was changed.")
    return reason


def _within_reach(day: date, *, now: datetime) -> None:
    """Refuse days at the ends of calendars, around which there are no others to compare with."""
    if abs(day.year - now.year) > FARTHEST_YEARS:
        raise Refused(f"The year {day.year} is none of this newsletter's. Nothing was changed: look at the date again.")


def _not_past(newsletter: Newsletter, cadence: Cadence, day: date, *, now: datetime) -> None:
    """Refuse a day on which nothing can be changed any more, in words."""
    begins = datetime.combine(day, time(), UTC) - timedelta(days=1)
    known = (slots(cadence, after=begins, until=begins + timedelta(days=3))
             + skips(cadence, after=begins, until=begins + timedelta(days=3)))  # fmt: skip
    that_day = [slot.at for slot in known if slot.local_date == day]
    if day < _today(newsletter, now) or (that_day and max(that_day) <= now):
        raise Refused(f"{_day(day)} has passed for {newsletter.name}. Nothing was changed: choose a day to come.")
    if not that_day:
        raise Refused(f"{newsletter.name} has no edition on {_day(day)}. Nothing was changed.")


def _pass_gap(newsletter: Newsletter, *, now: datetime) -> int:
    """Every slot of the pause leaves a row that says so; how many passed."""
    plan_one(newsletter, now=now)
    since = newsletter.editions.filter(slot_at__lte=now)
    since.filter(state__in=_UNTOUCHED).update(
        state=Edition.State.SKIPPED, code="newsletter_paused", params={}, ended_at=now, revision=F("revision") + 1
    )
    paused = _paused_at(newsletter) or now
    return since.filter(code="newsletter_paused", slot_at__gt=paused).count()


def _paused_at(newsletter: Newsletter) -> datetime | None:
    entries = JournalEntry.objects.filter(subject="newsletter", subject_id=newsletter.id, verb="pause")
    return entries.order_by("-at").values_list("at", flat=True).first()


def _keep(newsletter: Newsletter, record: Mapping[str, Any]) -> None:
    newsletter.cadence = Cadence.from_json(record).to_json()
    Newsletter.objects.filter(id=newsletter.id).update(cadence=newsletter.cadence)


def _forget(newsletter: Newsletter, ahead: Q) -> None:
    """Drop rows that were only planned: nobody has put anything into them."""
    newsletter.editions.filter(ahead, items=None).filter(
        Q(state=Edition.State.PLANNED) | Q(state=Edition.State.SKIPPED, code="holiday")
    ).delete()


def _on(newsletter: Newsletter, day: date) -> Any:
    """Editions whose slot shows this day on the newsletter's own wall clock."""
    there = zone_named(zone_of(newsletter))
    around = datetime.combine(day, time(), UTC)
    rows = newsletter.editions.filter(slot_at__gt=around - timedelta(days=1), slot_at__lt=around + timedelta(days=2))
    ids = [row for row, at in rows.values_list("id", "slot_at") if at.astimezone(there).date() == day]
    return newsletter.editions.filter(id__in=ids)


def _today(newsletter: Newsletter, now: datetime) -> date:
    return now.astimezone(zone_named(zone_of(newsletter))).date()


def _midnight_after(newsletter: Newsletter, day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), zone_named(zone_of(newsletter))).astimezone(UTC)


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"


def _approved_words(newsletter: Newsletter) -> str:
    approved = newsletter.editions.filter(state=Edition.State.APPROVED).exclude(approved_by=None).count()
    return "What a person has approved already still leaves; take it back if it should not." if approved else ""


def _next_words(newsletter: Newsletter, *, now: datetime) -> str:
    cadence, zone = Cadence.from_json(newsletter.cadence), zone_of(newsletter)
    ahead = slots(cadence, after=now, until=now + AHEAD)
    return f"Next: {day_words(ahead[0].at, zone)}, {clock(ahead[0].at, zone)}." if ahead else "None is ahead of it."
