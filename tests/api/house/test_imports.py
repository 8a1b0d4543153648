"""Lists of readers handed in by programs."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from pipeline.audience.imports import arriving, enter
from pipeline.audience.models import Import, Subscriber
from pipeline.staff.models import JournalEntry
from tests.api.conftest import Ask
from tests.factories.mornings import Morning

LIST = b"email,name\nnew@example.org,Cleo\nnobody,=cmd\nother@example.org,Ben\n"


@pytest.fixture
def ask(as_one: Any) -> Ask:
    """A desk head's program."""
    asked: Ask = as_one("head")
    return asked


def handed_in(ask: Ask, content: bytes = LIST, **more: str) -> Any:
    body = {"file": SimpleUploadedFile("list.csv", content), "topic": "weekly", "agreed": "true", **more}
    return ask("POST", "/imports", body)


def test_a_list_is_rehearsed_then_entered_once(ask: Ask, house: Morning) -> None:
    before = Subscriber.objects.count()
    made = handed_in(ask).json()["received"]
    assert (made["state"], made["is_rehearsal"], made["topic"], made["rows"]) == ("waiting", True, "weekly", 4)
    arriving.enter_some(now=timezone.now())
    told = ask("GET", f"/imports/{made['id']}").json()
    assert (told["state"], told["added"], told["refused"], told["is_here"]) == ("done", 2, 1, True)
    assert [(fault["row"], fault["given"], fault["code"]) for fault in told["faults"]] == [
        (3, "nobody", "not_an_address")
    ]
    assert Subscriber.objects.count() == before, "nobody is in yet"
    first, again = (ask("POST", f"/imports/{made['id']}/enter").json() for _ in range(2))
    assert (first["done"], again["done"]) == (True, False)
    arriving.enter_some(now=timezone.now())
    assert Subscriber.objects.count() == before + 2
    late = ask("POST", f"/imports/{made['id']}/enter")
    assert (late.status_code, late.json()["current"]["id"]) == (409, made["id"]), "the file is gone"
    assert list(JournalEntry.objects.filter(subject="import").values_list("verb", flat=True)) == ["rehearse import", "import"]  # fmt: skip


def test_an_import_is_followed_stopped_and_goes_on(ask: Ask, house: Morning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enter, "CHUNK", 1)
    made = handed_in(ask, rehearse="false").json()["received"]
    arriving.enter_some(now=timezone.now(), slice_s=0)
    path = f"/imports/{made['id']}"
    under_way = ask("GET", path).json()
    assert (under_way["added"], under_way["state"]) == (1, "waiting")
    assert [ask("POST", f"{path}/stop").json()["done"] for _ in range(2)] == [True, False]
    assert [ask("POST", f"{path}/go-on").json()["done"] for _ in range(2)] == [True, False]
    arriving.enter_some(now=timezone.now())
    assert ask("GET", path).json()["state"] == "done"


def test_refused_rows_come_a_page_at_a_time_and_the_look_is_kept(ask: Ask, house: Morning) -> None:
    made = handed_in(ask, b"email\nnobody\n@\nnowhere\n", rehearse="false").json()["received"]
    arriving.enter_some(now=timezone.now())
    first = ask("POST", f"/imports/{made['id']}/refusals", {"size": 2}).json()
    rest = ask("POST", f"/imports/{made['id']}/refusals", {"size": 2, "after": first["next"]}).json()
    assert [row["given"] for row in first["refusals"] + rest["refusals"]] == ["nobody", "@", "nowhere"]
    assert rest["next"] is None and rest["refusals"][0]["why"].startswith("it holds no mail address")
    assert JournalEntry.objects.filter(verb="export refusals").count() == 2


def test_whoever_only_looks_does_not_read_addresses(as_one: Any, house: Morning) -> None:
    row = Import.objects.get(state=Import.State.STOPPED)
    row.faults.update(given="left@example.org")
    assert as_one("viewer")("GET", f"/imports/{row.id}").json()["faults"][0]["given"] == "l…@example.org"
    assert as_one("head")("GET", f"/imports/{row.id}").json()["faults"][0]["given"] == "left@example.org"


@pytest.mark.parametrize(
    ("content", "more", "word"),
    [(b"colour\nred\n", {}, "no column named email"), (LIST, {"agreed": "false"}, "agreed"), (LIST, {"topic": "none"}, "topic")],
)  # fmt: skip
def test_what_is_no_list_is_said_and_nobody_is_entered(
    ask: Ask, house: Morning, content: bytes, more: dict[str, str], word: str
) -> None:
    known = Import.objects.count()
    answer = handed_in(ask, content, **more)
    assert (answer.status_code, answer.json()["kept"]) == (422, "Nothing was entered.")
    assert word in answer.json()["message"] and Import.objects.count() == known


def test_a_file_that_is_too_large_is_refused(ask: Ask, house: Morning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "LARGEST", 10)
    assert handed_in(ask).status_code == 422


def test_a_form_that_is_torn_is_told_in_the_shape_of_every_refusal(client: Any, ask: Ask, house: Morning) -> None:
    from tests.api.conftest import token_of
    from tests.factories import staff

    headers = {"Authorization": f"Bearer {token_of(staff.ada())}"}
    torn = client.post("/api/v1/imports", b"--x", content_type="multipart/form-data", headers=headers)
    assert (torn.status_code, torn.json()["error"]) == (400, "unread")
