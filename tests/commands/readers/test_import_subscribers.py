"""The verbs around readers' files."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.audience.models import Segment, Subscriber
from pipeline.commands.readers import export_subscribers, import_subscribers
from pipeline.commands.unusable import UnusableInput
from tests.factories import audience

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _brief() -> None:
    audience.topic()


def _file(folder: Path, text: str) -> Path:
    file = folder / "readers.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_rehearsal_reports_and_enters_nobody(tmp_path: Path) -> None:
    file, report = _file(tmp_path, "email\na@example.org\n=nobody\n"), tmp_path / "report.csv"
    done = import_subscribers.run(file=file, topic="morning-brief", origin="", dry_run=True, report=report)
    assert (done["read"], done["entered"], done["would_enter"], done["refused"]) == (2, 0, 1, 1)
    assert done["warnings"][0].startswith("line 3: it holds no mail address")
    written = list(csv.DictReader(report.read_text(encoding="utf-8").splitlines()))
    assert [row["given"] for row in written] == ["'=nobody"]
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(("topic", "text", "said"), [("none", "email\n", "known are: morning-brief"), ("morning-brief", "a,b\n1,2\n", "no column named email")])  # fmt: skip
def test_what_cannot_be_entered_is_refused_in_words(topic: str, text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=said):
        import_subscribers.run(file=_file(tmp_path, text), topic=topic, origin="", dry_run=False)


def test_an_export_of_a_segment_comes_back_as_it_was(tmp_path: Path) -> None:
    file = _file(tmp_path, "email,name\n=a@example.org,=HYPERLINK(1)\nb@example.org,B\nc@example.com,C\n")
    import_subscribers.run(file=file, topic="morning-brief", origin="", dry_run=False)
    Segment.objects.create(slug="org", name="Org", rule={"domain": "example.org"}, created_at=NOW)
    out = tmp_path / "out.csv"
    done = export_subscribers.run(file=out, topic="morning-brief", segment="org")
    assert done["readers"] == 2
    assert "\n'=a@example.org,'=HYPERLINK(1)," in out.read_text(encoding="utf-8").replace("\r", "")
    again = import_subscribers.run(file=out, topic="morning-brief", origin="", dry_run=False)
    assert (again["entered"], again["known"], again["refused"]) == (0, 2, 0)


def test_a_segment_that_cannot_be_read_exports_nobody(tmp_path: Path) -> None:
    Segment.objects.create(slug="odd", name="Odd", rule={"sql": "1=1"}, created_at=NOW)
    with pytest.raises(UnusableInput, match="sql: no such rule"):
        export_subscribers.run(file=tmp_path / "out.csv", topic="morning-brief", segment="odd")
