"""What an import leaves behind is forgotten: rows that were refused after a month, its numbers after a year."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.audience.imports import arriving
from pipeline.audience.models import Import, ImportFault
from tests.factories import audience

pytestmark = pytest.mark.django_db
NOW = audience.NOW
DAY = timedelta(days=1)


def imported(name: str, *, ended_days_ago: int | None, began_days_ago: int = 0, faults: int = 3) -> None:
    made = Import.objects.create(
        name=name, digest=name.encode(), layout="csv", topic=audience.topic(), state="done", refused=faults,
        started_at=NOW - began_days_ago * DAY, ended_at=None if ended_days_ago is None else NOW - ended_days_ago * DAY,
    )  # fmt: skip
    ImportFault.objects.bulk_create(
        ImportFault(made_in=made, row=n, given="who@example", code="not_an_address") for n in range(faults)
    )


def test_refused_rows_go_after_a_month_and_the_import_after_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "PORTION", 2)
    imported("fresh", ended_days_ago=30, began_days_ago=31)
    imported("old", ended_days_ago=31, began_days_ago=31)
    imported("killed", ended_days_ago=None, began_days_ago=31)
    imported("ancient", ended_days_ago=401, began_days_ago=401, faults=0)
    assert arriving.expire(now=NOW) == 6
    assert set(ImportFault.objects.values_list("made_in__name", flat=True)) == {"fresh"}
    assert set(Import.objects.values_list("name", "refused")) == {("fresh", 3), ("old", 3), ("killed", 3)}
    assert arriving.expire(now=NOW) == 0
