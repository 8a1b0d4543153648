"""Every screen of the desk in a real browser: what axe-core finds, at 360 px by day and at a desk by night; and its keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from django.db import connections
from django.utils import timezone

from pipeline.staff.models import Role
from tests.desk.test_pages import PAGES, address
from tests.factories import mornings, staff
from tests.factories.mornings import Morning
from tests.journeys import screens

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(400),
    pytest.mark.skipif(screens.CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
    pytest.mark.django_db(transaction=True),
]
#: WCAG 2.2 at level AA, as axe-core knows it. Letters are other people's markup in a frame and judged by their own tests.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "iframes": False,
    "resultTypes": ["violations"],
}


@pytest.fixture
def browser(engines: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps an event loop in this thread
    with screens.chromium() as opened:
        yield opened
        connections.close_all()  # those of this loop: Django keeps one for each, and the test database must be left


@pytest.fixture
def site(settings: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """Our pages with their style."""
    settings.STATICFILES_DIRS = [settings.STATIC_ROOT]
    finders.get_finder.cache_clear()
    yield str(request.getfixturevalue("live_server").url)
    finders.get_finder.cache_clear()


@pytest.fixture
def morning(site: str) -> Morning:
    return mornings.morning(now=timezone.now())


def faults(page: Any) -> list[str]:
    """What keeps someone from using the page as it stands."""
    found = [
        f"{one['impact']} {one['id']}: {node['target']} {node.get('failureSummary', '')[:200]}"
        for one in Axe().run(page, options=RULES).response["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"][:3]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*found, *([f"{wide} px wider than the window"] if wide > 0 else [])]


@pytest.mark.parametrize(("width", "scheme", "role"), [(360, "light", Role.EDITOR), (1280, "dark", Role.ADMIN)])
def test_no_screen_keeps_anybody_out(
    browser: Any, site: str, morning: Morning, width: int, scheme: str, role: Role
) -> None:
    page = screens.signed_in(browser, site=site, user=staff.user(role=role), width=width, scheme=scheme)
    said: list[str] = []
    # a letter in its frame is refused its counting picture, on purpose, and the browser says so
    ours = lambda line: line.type == "error" and not ("/o/" in line.text and "img-src" in line.text)  # noqa: E731
    page.on("console", lambda line: said.append(f"{page.url}: {line.text}") if ours(line) else None)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    found = []
    for url in PAGES if width < 1000 else [url for url in PAGES if "?" not in url]:
        page.goto(site + address(url, morning))
        found += [f"{url} {fault}" for fault in faults(page)]
    assert not found, "\n".join(found)
    assert not said, "\n".join(said)


def test_letters_lead_to_screens_and_a_word_to_an_edition(browser: Any, site: str, morning: Morning) -> None:
    page = screens.signed_in(browser, site=site, user=staff.ada(), width=1280, scheme="light")
    page.goto(f"{site}/desk/")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/desk/queue/")
    page.keyboard.press("Control+k")
    page.keyboard.type("weekly")
    page.get_by_role("link", name="Edition Weekly").wait_for()
    assert faults(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/editions/{morning.ready.id}/")
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.textContent.trim()").startswith("Send to 1 reader at")


def test_letters_are_silent_while_one_types_and_when_they_are_turned_off(
    browser: Any, site: str, morning: Morning
) -> None:
    page = screens.signed_in(browser, site=site, user=staff.ada(), width=1280, scheme="light")
    page.goto(f"{site}/desk/readers/")
    page.locator("main input[type=search]").first.focus()
    page.keyboard.type("gq?")
    assert page.locator("main input[type=search]").first.input_value() == "gq?"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.get_by_label("Single letters act in this browser").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.keyboard.press("?")
    assert page.url.endswith("/desk/readers/")
    assert not page.locator("#keys").is_visible()
