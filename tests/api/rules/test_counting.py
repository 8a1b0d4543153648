"""How Most Popular counts, for programs."""

from __future__ import annotations

from typing import Any

from pipeline.ranking import method
from pipeline.staff.models import JournalEntry
from tests.api.conftest import Ask
from tests.factories.mornings import Morning


def test_the_way_we_count_is_changed_once_by_whoever_saw_it(as_one: Any, house: Morning) -> None:
    ask: Ask = as_one("head")
    seen = ask("GET", "/popular/method").json()["counting"]
    wanted = {**seen, "weights": {"email": 2, "social": 1, "site": 1}, "age_cap_days": 90}
    body = {"seen": seen, "counting": wanted, "reason": "mail is read by subscribers"}
    first, again = (ask("POST", "/popular/method/change", body).json() for _ in range(2))
    assert (first["done"], again["done"], first["method"]["counting"]) == (True, False, wanted)
    assert any("90 days" in said for said in first["method"]["sentences"])
    assert (method.current().weights["email"], method.current().age_cap_days) == (2, 90)
    assert JournalEntry.objects.get(verb="change_method").reason == "mail is read by subscribers"
    late = ask("POST", "/popular/method/change", {**body, "counting": {**seen, "per_section": 5}})
    assert (late.status_code, late.json()["error"]) == (409, "conflict")
    assert late.json()["current"]["counting"] == wanted


def test_no_channel_counting_is_refused(as_one: Any, house: Morning) -> None:
    ask: Ask = as_one("head")
    seen = ask("GET", "/popular/method").json()["counting"]
    nothing = {**seen, "weights": {"email": 0, "social": 0, "site": 0}}
    body = {"seen": seen, "counting": nothing, "reason": "silence"}
    assert ask("POST", "/popular/method/change", body).status_code == 409
    assert method.current() == method.Counting()
