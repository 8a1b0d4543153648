"""Lists handed in at the desk: rehearsed, entered, followed while they are, with every refusal to download."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from lxml import html

from pipeline.audience.imports import arriving, enter
from pipeline.audience.models import Import, Subscriber
from pipeline.staff.models import JournalEntry, Role
from tests.factories import audience, staff

pytestmark = pytest.mark.django_db
LIST = b"email,name\ncleo@example.org,Cleo\nnobody,=cmd\nben@example.org,Ben\n"


@pytest.fixture(autouse=True)
def no_files_left() -> Iterator[None]:
    yield
    arriving.forget(now=datetime(2100, 1, 1, tzinfo=UTC))


@pytest.fixture
def door(client: Client) -> Client:
    audience.topic()
    client.force_login(staff.user(email="head@example.org", role=Role.HEAD))
    return client


def handed_in(door: Client, content: bytes = LIST, **fields: str) -> Any:
    file = SimpleUploadedFile("list.csv", content)
    return door.post(
        "/desk/readers/imports/receive",
        {"file": file, "topic": "morning-brief", "agreed": "yes", "how": "rehearse", **fields},
        follow=True,
    )


def told(answer: Any) -> str:
    return " ".join(" ".join(html.fromstring(answer.content).itertext()).split())


def test_a_list_is_rehearsed_then_entered_with_a_button(door: Client) -> None:
    page = handed_in(door)
    assert "waiting" in told(page) and 'hx-trigger="every 2s"' in page.content.decode()
    arriving.enter_some(now=timezone.now())
    row = Import.objects.get()
    page = door.get(f"/desk/readers/imports/{row.id}/")
    assert "Enter 2 new readers" in told(page) and "every 2s" not in page.content.decode()
    assert Subscriber.objects.count() == 0
    door.post(f"/desk/readers/imports/{row.id}/enter")
    arriving.enter_some(now=timezone.now())
    assert Subscriber.objects.count() == 2
    assert list(JournalEntry.objects.order_by("id").values_list("verb", flat=True)) == ["rehearse import", "import"]
    assert "gone" in told(door.post(f"/desk/readers/imports/{row.id}/enter", follow=True))


def test_refused_rows_are_downloaded_with_their_reasons_and_harmless(door: Client) -> None:
    handed_in(door, b"email\n=nobody\n", how="enter")
    arriving.enter_some(now=timezone.now())
    answer = door.post(f"/desk/readers/imports/{Import.objects.get().id}/refusals")
    header, row = answer.content.decode().splitlines()
    assert header == "row,given,code,why" and row.startswith("2,'=nobody,not_an_address,it holds no mail address")
    assert JournalEntry.objects.filter(verb="export refusals").exists()


def test_refused_rows_that_were_forgotten_are_said_to_be(door: Client) -> None:
    handed_in(door, how="enter")
    arriving.enter_some(now=timezone.now())
    arriving.expire(now=timezone.now() + arriving.FAULTS_KEPT + timedelta(days=1))
    page = told(door.get(f"/desk/readers/imports/{Import.objects.get().id}/"))
    assert "was kept for 30 days and is gone" in page and "Download the refused rows" not in page


def test_progress_tells_a_share_of_the_lines(door: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enter, "CHUNK", 1)
    handed_in(door, how="enter")
    arriving.enter_some(now=timezone.now(), slice_s=0)
    page = door.get(f"/desk/readers/imports/{Import.objects.get().id}/")
    [bar] = html.fromstring(page.content).xpath("//progress")
    assert (bar.get("value"), bar.get("max")) == ("50", "100")


def test_an_import_is_stopped_and_gone_on_with(door: Client) -> None:
    handed_in(door, how="enter")
    row = Import.objects.get()
    assert "Stopped" in told(door.post(f"/desk/readers/imports/{row.id}/stop", follow=True))
    assert "goes on where it stopped" in told(door.post(f"/desk/readers/imports/{row.id}/go-on", follow=True))
    arriving.enter_some(now=timezone.now())
    row.refresh_from_db()
    assert (row.state, row.added) == ("done", 2)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"agreed": ""}, "Say that these readers asked"),
        ({"topic": "nothing"}, "Choose a file, and the newsletter"),
        ({"file": ""}, "Choose a file, and the newsletter"),
    ],
)
def test_a_form_with_a_gap_enters_nobody(door: Client, fields: dict[str, str], said: str) -> None:
    answer = handed_in(door, **fields)
    assert answer.status_code == 422 and said in told(answer)
    assert Import.objects.count() == 0


def test_a_list_without_addresses_is_refused_in_words(door: Client) -> None:
    answer = handed_in(door, b"colour\nred\n")
    assert answer.status_code == 422 and "no column named email" in told(answer)


def test_what_came_by_the_command_line_is_not_steered_here(door: Client) -> None:
    row = Import.objects.create(
        name="far.csv",
        digest=bytes(32),
        layout="csv",
        topic=audience.topic(),
        state="stopped",
        started_at=timezone.now(),
    )
    assert "file is not here" in told(door.post(f"/desk/readers/imports/{row.id}/go-on", follow=True))


def test_an_editor_enters_nobody(client: Client) -> None:
    audience.topic()
    client.force_login(staff.ada())
    handed_in(client)
    assert Import.objects.count() == 0
