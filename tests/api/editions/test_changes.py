"""What people changed in an edition, for programs."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.editions.compose import compose
from pipeline.editions.models import Edition
from tests.api.conftest import Ask
from tests.factories.mornings import Morning


@pytest.fixture
def changed(ask: Ask, house: Morning) -> Edition:
    """A ready edition whose subject was written by hand."""
    ready = house.ready
    body = {"revision": ready.revision, "subject": "Ours", "preheader": "p", "note": ""}
    assert ask("POST", f"/editions/{ready.id}/write", body).json()["done"]
    compose(edition_id=ready.id, now=house.now)
    return ready


def acts(ask: Ask, row: Edition) -> tuple[list[Any], list[Any]]:
    told = ask("GET", f"/editions/{row.id}/changes").json()
    return told["standing"], told["taken_back"]


def test_a_change_is_listed_taken_back_and_brought_back(ask: Ask, house: Morning, changed: Edition) -> None:
    before, subject = acts(ask, changed), Edition.objects.get(id=changed.id).subject
    assert [act["by"] for act in before[0]] == [None, "Ada"] and before[1] == []
    number = before[0][-1]["number"]
    undone = ask("POST", f"/editions/{changed.id}/changes/undo", {"number": number}).json()
    compose(edition_id=changed.id, now=house.now)
    assert undone["done"] and Edition.objects.get(id=changed.id).subject != subject
    assert [act["number"] for act in acts(ask, changed)[1]] == [number]
    assert ask("POST", f"/editions/{changed.id}/changes/redo", {"number": number}).json()["done"]
    assert Edition.objects.get(id=changed.id).subject == "Ours"
    assert acts(ask, changed) == before


def test_one_goes_back_to_what_stood_before_any_hand(ask: Ask, changed: Edition) -> None:
    (begun, last), _ = acts(ask, changed)
    body = {"number": begun["number"], "seen": last["number"]}
    assert ask("POST", f"/editions/{changed.id}/changes/restore", body).json()["done"]
    assert [act["verb"] for act in acts(ask, changed)[0]][-1] == "restore"


@pytest.mark.parametrize("way", ["undo", "redo"])
def test_what_was_not_looked_at_is_not_taken_back(ask: Ask, changed: Edition, way: str) -> None:
    answer = ask("POST", f"/editions/{changed.id}/changes/{way}", {"number": 4711})
    assert answer.status_code == 409
    assert "Nothing was changed" in answer.json()["message"] + answer.json()["kept"]
