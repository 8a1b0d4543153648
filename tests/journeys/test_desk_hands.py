"""More than one person at the desk, and a day without an edition, in a real browser; nothing of it needs a worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.db import connections
from django.utils import timezone

from pipeline.desk.editions import acts
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition
from pipeline.staff.models import Grant, JournalEntry, Stop
from tests.factories import mornings, staff
from tests.factories.mornings import Morning
from tests.journeys import screens

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(120),
    pytest.mark.skipif(screens.CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
    pytest.mark.django_db(transaction=True),
]
#: A form that no page showed: the address is known, the token is the visitor's own.
FORGED = """([action, fields]) => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  for (const [name, value] of Object.entries({ csrfmiddlewaretoken: token, ...fields })) {
    const field = document.createElement("input");
    [field.type, field.name, field.value] = ["hidden", name, value];
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}"""


@pytest.fixture
def site(
    engines: object, settings: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """Our pages with their style; no worker comes, so no page waits for one."""
    monkeypatch.setattr(acts, "PATIENCE_S", 0.1)
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps an event loop in this thread
    settings.STATICFILES_DIRS = [settings.STATIC_ROOT]
    finders.get_finder.cache_clear()
    yield str(request.getfixturevalue("live_server").url)
    finders.get_finder.cache_clear()


@pytest.fixture
def browser(site: str) -> Iterator[Any]:
    with screens.chromium() as opened:
        yield opened
        connections.close_all()  # those of this loop: Django keeps one for each, and the test database must be left


@pytest.fixture
def morning(site: str) -> Morning:
    return mornings.morning(now=timezone.now())


def seat(browser: Any, site: str, user: Any) -> Any:
    page = screens.signed_in(browser, site=site, user=user, width=1280, scheme="light")
    page.set_default_timeout(15_000)
    return page


def test_a_holiday_is_left_out_with_its_reason_and_given_back(browser: Any, site: str, morning: Morning) -> None:
    page, newsletter = seat(browser, site, staff.ada()), morning.ready.newsletter
    newsletter.cadence = {"kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"]}
    newsletter.save()
    day = (timezone.now() + timedelta(days=9)).date()
    page.goto(f"{site}/desk/calendar/")
    page.get_by_role("navigation", name="Newsletters").get_by_role("link", name="Weekly").click()
    page.get_by_label("Skip this day").fill(day.isoformat())
    page.locator("#skip-why").fill("Day of the Harbour")
    page.get_by_role("button", name="Skip the day").click()
    page.get_by_text("Weekly does not leave on").wait_for()

    page.goto(f"{site}/desk/calendar/")
    off = page.locator(f"section[aria-labelledby='d{day.isoformat()}'] li", has_text="Weekly")
    assert "skipped" in off.inner_text() and "Day of the Harbour" in off.inner_text()
    off.get_by_role("link").click()
    page.wait_for_url(f"**/desk/newsletters/{newsletter.id}/")
    assert "“Day of the Harbour”" in page.get_by_role("region", name="What was done").inner_text()


def written(page: Any, label: str, words: str) -> None:
    page.get_by_label(label, exact=True).fill(words)


def tells_of_words(answer: Any) -> bool:
    return answer.url.endswith("/here") and "part=words" in (answer.request.post_data or "")


def test_two_editors_see_each_other_and_lose_nothing(browser: Any, site: str, morning: Morning) -> None:
    edition = morning.ready.id
    ada = seat(browser, site, staff.ada())
    dora = seat(browser, site, staff.user(email="dora@example.org", name="Dora"))
    for page in (ada, dora):
        page.goto(f"{site}/desk/editions/{edition}/")
    with ada.expect_response(tells_of_words):
        written(ada, "Subject", "Ports close at noon")
    dora.get_by_label("Editor’s note").focus()
    dora.get_by_text("Ada is editing the subject, preview line and note.").wait_for()

    keep = "Keep and compose again"
    ada.get_by_role("button", name=keep).click()
    ada.get_by_text("Kept.").wait_for()
    compose(edition_id=edition, now=timezone.now())
    written(dora, "Editor’s note", "Trains run.")
    dora.get_by_role("button", name=keep).click()
    dora.get_by_text("Ada changed the subject meanwhile; that stays as they made it.").wait_for()
    compose(edition_id=edition, now=timezone.now())
    row = Edition.objects.get(id=edition)
    assert (row.subject, row.note) == ("Ports close at noon", "Trains run.")

    for page in (ada, dora):
        page.goto(f"{site}/desk/editions/{edition}/")
    written(ada, "Subject", "Ports close at one")
    ada.get_by_role("button", name=keep).click()
    ada.get_by_text("Kept.").wait_for()
    compose(edition_id=edition, now=timezone.now())
    written(dora, "Subject", "Ports are closed")
    dora.get_by_role("button", name=keep).click()
    dora.get_by_text("Two of you wrote this. Which one?").wait_for()
    assert "Ports close at one" in dora.locator("fieldset.versions").inner_text()
    assert dora.get_by_label("Subject", exact=True).input_value() == "Ports are closed", "nothing typed is lost"
    assert Edition.objects.get(id=edition).subject == "Ports close at one", "and nothing kept is overwritten"
    dora.get_by_label("Yours, as it stands in the field").check()
    dora.get_by_role("button", name=keep).click()
    dora.get_by_text("Kept.").wait_for()
    assert Edition.objects.get(id=edition).subject == "Ports are closed"


def test_a_story_is_dragged_to_the_top_of_its_block_with_the_mouse(browser: Any, site: str, morning: Morning) -> None:
    edition = morning.ready.id
    page = seat(browser, site, staff.ada())
    page.goto(f"{site}/desk/editions/{edition}/")
    stories = page.locator("[data-block='3'] .picks > [data-story]")
    before = stories.evaluate_all("all => all.map(one => one.dataset.story)")
    stories.last.locator(".grip").scroll_into_view_if_needed()
    grip, top = stories.last.locator(".grip").bounding_box(), stories.first.bounding_box()
    page.mouse.move(grip["x"] + 10, grip["y"] + 10)
    page.mouse.down()
    page.mouse.move(grip["x"] + 20, grip["y"], steps=3)
    page.mouse.move(top["x"] + 40, top["y"] + 20, steps=5)
    with page.expect_navigation():
        page.mouse.up()
    compose(edition_id=edition, now=timezone.now())
    page.goto(f"{site}/desk/editions/{edition}/")
    assert stories.evaluate_all("all => all.map(one => one.dataset.story)") == [before[-1], *before[:-1]] != before


def test_who_may_not_sees_no_button_and_a_forged_act_is_refused_in_words(
    browser: Any, site: str, morning: Morning
) -> None:
    limited = staff.user(email="lim@example.org", name="Lim")
    limited.is_limited = True
    limited.save()
    Grant.objects.create(user=limited, kind=Grant.Kind.NEWSLETTER, object_id=morning.leaving.edition.newsletter_id)
    ready, story = morning.ready, morning.stories[0]
    edition, newsletter = f"/desk/editions/{ready.id}/", f"/desk/newsletters/{ready.newsletter_id}/"
    leaving = f"/desk/editions/{morning.leaving.edition_id}/"
    revision, why = {"revision": str(ready.revision)}, {"reason": "x", "day": "2031-01-01"}
    roles, others = "Your role may", "You work for other newsletters"
    tries = [
        (edition, edition + "approve", revision, others),
        (edition, edition + "skip", revision | why, others),
        (newsletter, newsletter + "skip-day", why, others),
        (leaving, leaving + "pause", {}, ""),
        (f"/desk/articles/{story.id}/", f"/desk/articles/{story.id}/kill", why, ""),
        ("/desk/posts/", "/desk/posts/stop", why, ""),
    ]
    for user in (staff.ben(), limited):
        page = seat(browser, site, user)
        for looked_at, action, fields, limit in tries:
            expected = limit if user is limited else roles
            if not expected:
                continue
            page.goto(site + looked_at)
            assert page.locator(f"main [action='{action}'], main [formaction='{action}']").count() == 0, action
            page.evaluate(FORGED, [action, fields])
            page.get_by_role("alert").get_by_text(expected).wait_for()
    ready.refresh_from_db()
    story.refresh_from_db()
    morning.leaving.refresh_from_db()
    assert (ready.state, morning.leaving.state, story.killed_at) == (Edition.State.READY, "submitting", None)
    assert not JournalEntry.objects.filter(actor__isnull=False).exists() and not Stop.objects.exists()
