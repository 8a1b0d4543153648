"""Designs are written with their faults beside them, kept in versions, used by newsletters and taken back."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.desk.designs import looking
from pipeline.desk.designs.beginning import START
from pipeline.editions.models import Design, DesignVersion, Edition, Newsletter
from pipeline.editions.own.design import lint
from pipeline.staff.models import Grant, JournalEntry, Role, User
from tests.factories import articles, editions, staff

pytestmark = pytest.mark.django_db


def browser(role: Role = Role.HEAD, email: str = "ada@example.org") -> Client:
    client = Client()
    client.force_login(staff.user(email=email, role=role))
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def begun(client: Client, name: str = "Harbour") -> Design:
    client.post("/desk/designs/begin", {"name": name})
    return Design.objects.get(name=name)


def keep(client: Client, design: Design, source: str, *, seen: int = 1, said: str = "") -> Any:
    data = {"source": source, "seen": str(seen), "said": said}
    return client.post(f"/desk/designs/{design.id}/keep", data, follow=True)


def test_what_a_design_begins_as_has_nothing_wrong_with_it() -> None:
    assert lint(START) == ()


def test_a_design_is_begun_and_changed_in_versions_that_stay() -> None:
    client = browser()
    made = begun(client)
    done = keep(client, made, START.replace("32px", "40px").replace("\n", "\r\n"), said="a larger name")
    assert "Kept as version 2" in text(done)
    assert [row.source for row in made.versions.order_by("number")] == [START, START.replace("32px", "40px")]
    assert "a larger name" in text(client.get(f"/desk/designs/{made.id}/"))
    assert "font-size=&#34;32px&#34;" in client.get(f"/desk/designs/{made.id}/?version=1").content.decode()
    assert JournalEntry.objects.filter(verb="keep design", subject_id=made.id).count() == 2
    assert "It is the same as version 2" in text(keep(client, made, START.replace("32px", "40px"), seen=2))


def test_what_is_wrong_is_told_with_its_line_while_one_writes() -> None:
    client = browser()
    made = begun(client)
    wrong = START.replace("<mj-body ", "<mj-bod ", 1).replace("{{ date }}", "{{ dat }}")
    told = text(client.post(f"/desk/designs/{made.id}/check", {"source": wrong}))
    line = next(number for number, said in enumerate(START.split("\n"), start=1) if "<mj-body " in said)
    assert f'data-line="{line}"' in told
    assert "There is no tag &lt;mj-bod&gt;" in told
    assert "keep it from being used" in told or "keeps it from being used" in told
    name = text(client.post(f"/desk/designs/{made.id}/check", {"source": START.replace("{{ date }}", "{{ dat }}")}))
    assert "There is nothing called “dat”" in name
    assert "Nothing is wrong with it" in text(client.post(f"/desk/designs/{made.id}/check", {"source": START}))
    assert made.versions.count() == 1, "checking keeps nothing"


@pytest.mark.parametrize("case", [looking.NEWEST, *looking.CASES])
def test_every_sample_is_shown_in_it_whole_and_sealed(case: str) -> None:
    client = browser()
    made = begun(client)
    editions.newsletter()
    told = articles.article(now=timezone.now())
    answer = client.post(f"/desk/designs/{made.id}/show", {"source": START, "case": case})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "[[dl:" not in page
    shown = looking.CASES[case].stories()[0].headline if case in looking.CASES else told.headline
    assert shown in unescape(page)


def test_a_headline_with_markup_in_it_stays_text() -> None:
    made = begun(browser())
    answer = browser(email="eve@example.org").post(f"/desk/designs/{made.id}/show", {"source": START, "case": "apostrophes and &amp;"})  # fmt: skip
    page = answer.content.decode()
    assert "<b>sale</b>" not in page
    assert "&amp;amp; Sons" in page, "what the newsroom wrote is shown as it wrote it"


def test_the_dark_letter_is_not_the_light_one() -> None:
    client = browser()
    made = begun(client)
    source = START.replace("<mj-attributes>", "<mj-style>@media (prefers-color-scheme: dark) { .x { color: #fff } }</mj-style><mj-attributes>")  # fmt: skip
    light, dark = (
        client.post(f"/desk/designs/{made.id}/show", {"source": source, "scheme": scheme}).content.decode()
        for scheme in ("", "dark")
    )
    assert "(max-width:0)" in light
    assert "(min-width:0)" in dark


def test_a_broken_source_shows_a_sentence_instead_of_a_letter() -> None:
    client = browser()
    made = begun(client)
    answer = client.post(f"/desk/designs/{made.id}/show", {"source": "{% for x in blocks %}"})
    assert answer.status_code == 422
    assert "Line 1" in text(answer)
    assert "empty" in text(client.post(f"/desk/designs/{made.id}/show", {"source": " "}))


def test_a_version_is_used_by_a_newsletter_and_its_editions_are_set_in_it() -> None:
    client, made = browser(), editions.newsletter(now=timezone.now())
    articles.article(now=timezone.now())
    design = begun(client)
    version = design.versions.get()
    done = client.post(f"/desk/designs/versions/{version.id}/use", {"newsletter": str(made.id)}, follow=True)
    assert "is set in “Harbour”, version 1" in text(done)
    made.refresh_from_db()
    assert (made.own_design, made.design_version) == (START, version)
    entry = JournalEntry.objects.get(verb="use design")
    assert entry.detail["changed"]["design"] == ["", f"{design.id}/1"]
    assert "set in “Harbour”, version 1" in text(client.get(f"/desk/newsletters/{made.id}/"))
    keep(client, design, START.replace("32px", "44px"))
    made.refresh_from_db()
    assert made.own_design == START, "a newer version changes no newsletter by itself"
    client.post(f"/desk/designs/shipped/{made.id}")
    made.refresh_from_db()
    assert (made.own_design, made.design_version) == ("", None)
    assert Edition.objects.count() == 0


def test_a_version_with_errors_is_kept_and_not_used() -> None:
    client, made = browser(), editions.newsletter()
    design = begun(client)
    keep(client, design, START.replace("[[dl:leave]]", "https://x.example/"))
    version = design.versions.get(number=2)
    answer = client.post(f"/desk/designs/versions/{version.id}/use", {"newsletter": str(made.id)}, follow=True)
    assert "cannot be used yet" in text(answer)
    assert "no way to leave" in text(answer)
    made.refresh_from_db()
    assert made.own_design == ""


def test_an_older_version_comes_back_as_the_newest() -> None:
    client = browser()
    design = begun(client)
    keep(client, design, START.replace("32px", "40px"))
    first = design.versions.get(number=1)
    assert "Version 3 is as version 1 was" in text(
        client.post(f"/desk/designs/versions/{first.id}/restore", follow=True)
    )
    assert design.versions.get(number=3).source == START
    third = design.versions.get(number=3)
    assert "newest already" in text(client.post(f"/desk/designs/versions/{third.id}/restore", follow=True))


def test_two_writers_lose_nothing() -> None:
    ada, eve = browser(), browser(email="eve@example.org")
    design = begun(ada)
    keep(eve, design, START.replace("32px", "41px"))
    answer = keep(ada, design, START.replace("32px", "43px"))
    assert answer.status_code == 422
    assert "kept version 2 while you were writing" in text(answer)
    assert "43px" in text(answer), "what was written stands in the field"
    assert design.versions.count() == 2
    assert "Kept as version 3" in text(keep(ada, design, START.replace("32px", "43px"), seen=2))


@pytest.mark.parametrize(("name", "said"), [("", "Give it a name"), ("  ", "Give it a name"), ("Harbour", "already")])
def test_a_name_that_will_not_do_says_why(name: str, said: str) -> None:
    client = browser()
    begun(client)
    assert said in text(client.post("/desk/designs/begin", {"name": name}))
    assert Design.objects.count() == 1


def test_what_is_too_long_is_not_kept() -> None:
    client = browser()
    design = begun(client)
    assert "64000 characters" in text(keep(client, design, "x" * 64_001))
    assert "zero bytes" in text(keep(client, design, "a\x00b"))
    assert DesignVersion.objects.count() == 1


@pytest.mark.parametrize("role", [Role.EDITOR, Role.SOCIAL, Role.VIEWER])
def test_who_is_no_head_writes_and_runs_no_design(role: Role) -> None:
    head, made = browser(), editions.newsletter()
    design = begun(head)
    client = browser(role, email="ben@example.org")
    assert client.get(f"/desk/designs/{design.id}/").status_code == 200
    assert client.post(f"/desk/designs/{design.id}/check", {"source": START}).status_code == 403
    assert "Only a desk head" in text(client.post(f"/desk/designs/{design.id}/show", {"source": START}))
    client.post("/desk/designs/begin", {"name": "Mine"})
    keep(client, design, "x")
    client.post(f"/desk/designs/versions/{design.versions.get().id}/use", {"newsletter": str(made.id)})
    client.post(f"/desk/designs/versions/{design.versions.get().id}/restore")
    client.post(f"/desk/designs/shipped/{made.id}")
    assert DesignVersion.objects.count() == 1
    assert Newsletter.objects.get().own_design == ""


def test_a_head_limited_to_others_sets_no_newsletter_of_theirs() -> None:
    client, made = browser(), editions.newsletter()
    design = begun(client)
    User.objects.update(is_limited=True)
    Grant.objects.create(user=User.objects.get(), kind=Grant.Kind.NEWSLETTER, object_id=made.id + 1)
    client.post(f"/desk/designs/versions/{design.versions.get().id}/use", {"newsletter": str(made.id)})
    assert Newsletter.objects.get().own_design == ""
