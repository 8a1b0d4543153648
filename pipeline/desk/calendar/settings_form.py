"""A newsletter's settings as a person types them: lengths with their unit, days by name, holidays a line each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Any

from django import forms

from pipeline.audience.models import Segment
from pipeline.desk.sources.terms import TermsForm
from pipeline.editions.designs.look import PAPERS, TYPEFACES
from pipeline.editions.models import Newsletter
from pipeline.engagement.models import Mode
from pipeline.schedule.newsletters.changing import LATE_POLICIES, LOOKS
from pipeline.schedule.newsletters.making import DESIGNS
from pipeline.schedule.newsletters.sentences import span
from pipeline.schedule.slots import KINDS, WEEKDAYS
from pipeline.staff.models import User

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_LENGTH = re.compile(r"(?:\d{1,6} ?(?:s|min|h|d) ?)+", re.ASCII)
_PART = re.compile(r"(\d+) ?(s|min|h|d)", re.ASCII)
_SPANS = ("cutoff_before_s", "compose_before_s", "undo_s", "late_after_s", "keeps_s", "pace_s")
#: What a cadence keeps that no field shows: days skipped or given back are acts of their own.
_KEPT = ("skip", "except", "collects_from")


class SpanField(forms.CharField):
    """A length: 45 min, 1 h 30 min, 90 s. Gives seconds."""

    def clean(self, value: Any) -> int:
        """Raises ValidationError."""
        said = " ".join(str(super().clean(value)).lower().split())
        if not said:
            return 0
        if not _LENGTH.fullmatch(f"{said} "):
            raise forms.ValidationError("Write it with its unit: 90 s, 45 min, 4 h or 2 d.")
        seconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(said))
        if seconds > 30 * 86400:
            raise forms.ValidationError("That is more than thirty days.")
        return seconds


def _words(choices: Any) -> list[tuple[str, str]]:
    return [(str(value), str(value)) for value in choices]


class SettingsForm(forms.Form):
    """Everything a desk head may change of a newsletter but its blocks."""

    name = forms.CharField(max_length=120)
    repeats = forms.ChoiceField(choices=_words(KINDS))
    at = forms.CharField(max_length=200, required=False)
    weekdays = forms.MultipleChoiceField(choices=_words(WEEKDAYS), required=False)
    month_days = forms.CharField(max_length=120, required=False)
    every = SpanField(max_length=40, required=False)
    zone = forms.CharField(max_length=64)
    start = forms.DateField(required=False)
    end = forms.DateField(required=False)
    holidays = forms.CharField(max_length=4000, required=False)
    cutoff_before_s = SpanField(max_length=40)
    compose_before_s = SpanField(max_length=40)
    undo_s = SpanField(max_length=40)
    approval = forms.ChoiceField(choices=Newsletter.Approval.choices)
    unapproved = forms.ChoiceField(choices=Newsletter.Unapproved.choices)
    minimum = forms.IntegerField(min_value=1, max_value=100)
    below_minimum = forms.ChoiceField(choices=Newsletter.BelowMinimum.choices)
    max_age_h = forms.IntegerField(min_value=1, max_value=24 * 60)
    first_window_h = forms.IntegerField(min_value=0, max_value=24 * 60)
    carry_editions = forms.IntegerField(min_value=0, max_value=30)
    late_after_s = SpanField(max_length=40)
    late_policy = forms.ChoiceField(choices=_words(LATE_POLICIES))
    keeps_s = SpanField(max_length=40)
    pace_s = SpanField(max_length=40)
    at_readers_clock = forms.BooleanField(required=False)
    segment = forms.ModelChoiceField(queryset=Segment.objects.order_by("name"), required=False)
    most_drift_pct = forms.IntegerField(min_value=1, max_value=1000)
    on_kill = forms.ChoiceField(choices=Newsletter.OnKill.choices)
    in_doubt = forms.ChoiceField(choices=Newsletter.InDoubt.choices)
    is_archived = forms.BooleanField(required=False)
    tracking = forms.ChoiceField(choices=Mode.choices)
    asks_again = forms.BooleanField(required=False)
    from_name = forms.CharField(max_length=120)
    from_address = forms.CharField(max_length=254)
    reply_to = forms.CharField(max_length=254, required=False)
    owner = forms.ModelChoiceField(queryset=User.objects.filter(is_active=True).order_by("email"), required=False)
    design = forms.ChoiceField(choices=_words(DESIGNS))
    accent = forms.RegexField(regex=r"^#[0-9a-fA-F]{6}$", required=False, error_messages={"invalid": "Write the colour as #9b1c2e."})  # fmt: skip
    paper = forms.ChoiceField(choices=_words(PAPERS), required=False)
    typeface = forms.ChoiceField(choices=_words(TYPEFACES), required=False)
    tagline = forms.CharField(max_length=120, required=False)
    logo_url = forms.RegexField(regex=r"^https?://[^\s\"<>]+$", max_length=500, required=False, error_messages={"invalid": "Give the address of a picture on the web, beginning with https://."})  # fmt: skip
    postal_address = forms.CharField(max_length=300, required=False)

    clean_zone = TermsForm.clean_zone

    def clean_at(self) -> list[str]:
        """Wall-clock times."""
        said = str(self.cleaned_data["at"]).replace(",", " ").replace(" and ", " ").split()
        try:
            return [f"{time.fromisoformat(one):%H:%M}" for one in said]
        except ValueError as error:
            raise forms.ValidationError("Write times as 06:30, several with commas.") from error

    def clean_month_days(self) -> list[int]:
        """Days of the month; "last" is the last one."""
        said = str(self.cleaned_data["month_days"]).replace(",", " ").split()
        if not all(one == "last" or (one.isdecimal() and 1 <= int(one) <= 31) for one in said):
            raise forms.ValidationError("Write days as 1, 15, last.")
        return [-1 if one == "last" else int(one) for one in said]

    def clean_holidays(self) -> list[dict[str, str]]:
        """A line each: the day, then its name."""
        lines = [line.split() for line in str(self.cleaned_data["holidays"]).splitlines() if line.strip()]
        return [_holiday(parts) for parts in lines]

    def wanted(self, kept: Newsletter) -> dict[str, Any]:
        """As `changing.change` takes it; what no field shows stays as it is kept."""
        told = self.cleaned_data
        plain = {name: told[name] for name in self.fields if hasattr(kept, name) and name not in ("segment", "owner")}
        looks = {f"masthead.{name}": told[name] for name in LOOKS if name in told}
        looks["masthead.postal_address"] = told["postal_address"].replace("\r\n", "\n")
        people = {
            "segment_id": told["segment"].id if told["segment"] else None,
            "owner_id": told["owner"].id if told["owner"] else None,
        }
        addresses = {name: _respelled(told[name], getattr(kept, name)) for name in ("from_address", "reply_to")}
        return {**plain, **addresses, **_looks_as_kept(looks, kept), **people, "cadence": self.cadence(kept)}

    def cadence(self, kept: Newsletter) -> dict[str, Any]:
        """The times as `schedule.slots` keeps them."""
        told, kind = self.cleaned_data, self.cleaned_data["repeats"]
        parts: dict[str, Any] = {"kind": kind, "zone": told["zone"], "holidays": told["holidays"]}
        if kind in ("daily", "weekly", "monthly"):
            parts["at"] = told["at"]
        if kind in ("daily", "weekly"):
            parts["weekdays"] = told["weekdays"]
        if kind == "monthly":
            parts["days"] = told["month_days"]
        if kind == "interval":
            parts["every_s"] = told["every"]
        parts |= {name: told[name].isoformat() for name in ("start", "end") if told[name]}
        parts |= {name: kept.cadence[name] for name in _KEPT if kept.cadence.get(name)}
        return {name: value for name, value in parts.items() if value}


def _holiday(parts: list[str]) -> dict[str, str]:
    """12-25 Christmas; easter+1 Easter Monday; 1 mon 09 Labour Day."""
    size = 3 if len(parts) > 3 and re.fullmatch(r"-1|[1-5]", parts[0]) else 1
    if len(parts) <= size:
        raise forms.ValidationError(f"“{' '.join(parts)}” needs a name behind the day, as in “12-25 Christmas”.")
    return {"on": " ".join(parts[:size]).lower(), "name": " ".join(parts[size:])}


def _respelled(typed: str, kept: str) -> str:
    """An address that is spelled as before, but for capitals, is not a change."""
    return kept if typed.strip().lower() == kept.lower() else typed.strip().lower()


_USUAL = {"design": "morning", "accent": "#9b1c2e", "paper": "ivory", "typeface": "mixed"}


def _looks_as_kept(looks: Mapping[str, Any], kept: Newsletter) -> dict[str, Any]:
    """What the form showed because nothing was kept is not a change either."""
    return {
        name: kept.masthead.get(key, "") if not kept.masthead.get(key) and value == _USUAL.get(key) else value
        for name, value in looks.items()
        for key in [name.removeprefix("masthead.")]
    }


def typed(row: Newsletter) -> dict[str, Any]:
    """The settings as the fields show them."""
    kept = row.cadence
    names = [name for name in SettingsForm.base_fields if hasattr(row, name) and name not in ("segment", "owner")]
    plain = {name: getattr(row, name) for name in names}
    return {
        **{name: str(value) if not isinstance(value, bool) else value for name, value in plain.items()},
        **{name: span(int(plain[name])) for name in _SPANS},
        **{name: str(row.masthead.get(name) or _USUAL.get(name, "")) for name in LOOKS if name in SettingsForm.base_fields},
        "repeats": kept.get("kind", "manual"),
        "at": ", ".join(kept.get("at", [])),
        "weekdays": list(kept.get("weekdays", [])),
        "month_days": ", ".join("last" if day == -1 else str(day) for day in kept.get("days", [])),
        "every": span(int(kept.get("every_s", 0))) if kept.get("every_s") else "",
        "zone": kept.get("zone", "UTC"),
        "start": kept.get("start", ""),
        "end": kept.get("end", ""),
        "holidays": "\n".join(f"{one['on']} {one['name']}" for one in kept.get("holidays", [])),
        "segment": str(row.segment_id or ""),
        "owner": str(row.owner_id or ""),
    }  # fmt: skip
