"""When a newsletter leaves, as programs write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import AfterValidator, StringConstraints

from pipeline.api.answers import Day, Zone, one_line

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
#: What a cadence keeps that no program sets: days skipped or given back are acts of their own.
_KEPT = ("skip", "except", "collects_from")


class HolidayBody(Schema):
    """A day off."""

    on: Annotated[str, Field(max_length=40, description='"12-25", "2030-05-02", "easter+1" or "1 mon 09"')]
    name: Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(one_line)]


class CadenceBody(Schema):
    """Its times, whole; wall-clock times hold through every change of clocks."""

    kind: Literal["daily", "weekly", "monthly", "interval", "manual"]
    zone: Zone = "UTC"
    at: list[Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]] = Field([], max_length=48)
    weekdays: list[Weekday] = Field([], max_length=7)
    days: list[Annotated[int, Field(ge=-1, le=31)]] = Field([], max_length=31, description="of the month; -1: the last")
    every_s: Annotated[int, Field(ge=0, le=31_622_400)] = 0
    start: Day | None = None
    end: Day | None = None
    holidays: list[HolidayBody] = Field([], max_length=200)

    def cadence(self, kept: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As `schedule.slots` reads it, with the days skipped or given back of what is kept."""
        told = self.model_dump(mode="json")
        acts = {name: value for name, value in (kept or {}).items() if name in _KEPT}
        return {name: value for name, value in {**told, **acts}.items() if value}
