"""A reader signs up, confirms, chooses, leaves and returns, in a real browser, on a phone and at a desk."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from django.db import connections
from django.utils import timezone

from pipeline.articles.gates import bulletins, holds
from pipeline.articles.models import Article, Bulletin
from pipeline.audience.joining import limits, seals
from pipeline.audience.models import Confirmation, Consent, Subscriber, Subscription
from pipeline.delivery.letters import confirmations
from pipeline.demo.world.inbox import Inbox
from pipeline.editions.models import Edition, Newsletter
from pipeline.kernel.config import config
from tests.factories import articles, audience, editions

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(120),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not on PATH"),
    pytest.mark.django_db(transaction=True),
]
#: What axe-core calls these is a barrier for somebody.
BARRIERS = ("serious", "critical")
#: What axe-core does not measure, or calls less: targets, overflow, the frame of a page.
FAULTS = """() => {
  const shown = e => e.getClientRects().length && !e.closest('.trap, datalist');
  const all = s => [...document.querySelectorAll(s)].filter(shown), said = [];
  const rgb = c => c.match(/[\\d.]+/g).slice(0, 3).map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
  const light = c => { const [r, g, b] = rgb(c); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
  const root = document.documentElement;
  if (!root.lang || !root.dir || !document.title.trim()) said.push('lang, dir or title');
  if (all('h1').length !== 1 || all('main').length !== 1) said.push('h1 or main');
  if (root.scrollWidth > innerWidth) said.push('scrolls sideways ' + root.scrollWidth);
  for (const e of all('input, select')) if (!e.labels.length) said.push('no label: ' + e.name);
  for (const e of all('a, button')) if (!e.textContent.trim()) said.push('no name: ' + e.outerHTML);
  for (const e of all('button, select, input:not([type=checkbox]):not([type=radio]), .pick')) if (e.getBoundingClientRect().height < 43.5) said.push('small: ' + e.outerHTML.slice(0, 60));
  for (const e of all('fieldset')) if (!e.querySelector('legend')) said.push('no legend');
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  if (new Set(ids).size !== ids.length) said.push('an id twice');
  for (const e of all('p, h1, h2, small, label, legend, a, button, span, strong, li')) {
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) said.push('contrast ' + ((a + .05) / (b + .05)).toFixed(1) + ': ' + e.textContent.trim().slice(0, 40));
  }
  return said;
}"""


@pytest.fixture
def inbox(engines: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps an event loop in this thread
    with redis.Redis.from_url(config().redis_url) as client:
        for key in client.scan_iter(f"{limits.PREFIX}*"):
            client.delete(key)
    made = Inbox()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def site(inbox: Inbox, settings: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """Our pages with their style."""
    settings.STATICFILES_DIRS = [settings.STATIC_ROOT]
    finders.get_finder.cache_clear()
    yield str(request.getfixturevalue("live_server").url)
    finders.get_finder.cache_clear()


@pytest.fixture
def browser(inbox: Inbox) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield opened
        opened.close()
        connections.close_all()  # those of this loop: Django keeps one for each, and the test database must be left


def faults(page: Any, *, own: bool = True) -> list[str]:
    """Of the page as it stands, by day and by night; `own` says that it is set by us, not by a mail's design."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{page.url} {scheme}: {fault}" for fault in (page.evaluate(FAULTS) if own else [])]
        found += barriers(page, scheme=scheme)
    return found


def barriers(page: Any, *, scheme: str) -> list[str]:
    """What axe-core finds; by night only colours can differ."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if scheme == "dark":
        options["runOnly"] = ["color-contrast", "link-in-text-block"]
    told = Axe().run(page, options=options).response["violations"]
    return [
        f"{page.url} {scheme}: {one['id']} {[node['html'][:100] for node in one['nodes'][:3]]}"
        for one in told
        if one["impact"] in BARRIERS
    ]


def letter(inbox: Inbox, site: str) -> str:
    """The worker's part: the newest wish is written to, and the link found in what arrived."""
    settings = replace(config(), smtp_url=f"smtp://127.0.0.1:{inbox.smtp_port}", site_url=site)
    waiting = Confirmation.objects.get(sent_at=None)
    assert confirmations.send(confirmation_id=waiting.id, config=settings, now=timezone.now())
    plain = inbox.mails()[0].message.get_body(("plain",))
    assert plain is not None
    [link] = re.findall(rf"{site}/confirm/[\w-]+", plain.get_content())
    return str(link)


def silent_for_long(newsletter: Newsletter) -> None:
    """The reader agreed to be seen, was not, and was asked forty days ago."""
    now = timezone.now()
    Newsletter.objects.filter(id=newsletter.id).update(asks_again=True, tracking="consented")
    Subscriber.objects.update(
        tracking="consented", tracking_at=now - timedelta(days=400), last_human_at=None,
        asked_again_at=now - timedelta(days=40),
    )  # fmt: skip


@pytest.mark.parametrize(("width", "language"), [(360, "ar"), (1280, "en")])
def test_a_reader_joins_confirms_chooses_leaves_and_returns(
    site: str, browser: Any, inbox: Inbox, width: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "SHORTEST", seals.SHORTEST * 0)  # a test types faster than a person
    newsletter = editions.newsletter()
    audience.Topic.objects.update(per_week=14, about="What matters before breakfast.")
    audience.Topic.objects.create(slug="africa", name="Africa", kind="section")
    errors: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 780})
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)

    page.goto(f"{site}/join/?lang={language}")
    found = faults(page)
    page.fill("#address", "cleo@example.org")
    page.locator("form button").click()
    page.get_by_role("status").wait_for()
    found += faults(page)

    page.goto(letter(inbox, site))
    found += faults(page)
    assert Subscription.objects.count() == 0
    page.locator("form button").click()
    page.get_by_role("status").wait_for()
    found += faults(page)
    assert Subscription.objects.get(left_at=None).topic == newsletter.topic

    page.locator("main a").click()
    page.locator(f"[name=pace-{newsletter.topic_id}][value=weekly]").check()
    page.locator("form button").first.click()
    page.get_by_role("status").wait_for()
    found += faults(page)
    assert Subscription.objects.get().pace == "weekly"

    page.locator("form.apart button").click()
    page.locator("h2").wait_for()
    found += faults(page)
    assert Subscription.objects.filter(left_at=None).count() == 0
    page.locator("form button").click()
    page.locator("h2").wait_for(state="detached")
    found += faults(page)
    assert Subscription.objects.get(left_at=None).pace == "weekly"
    acts = list(Consent.objects.order_by("id").values_list("act", flat=True))
    assert acts == ["asked", "confirmed", "changed", "left", "confirmed"]

    silent_for_long(newsletter)
    page.goto(f"{site}/p/{seals.reader_door(Subscription.objects.get().subscriber_id)}")
    found += faults(page)
    page.locator(".notice form button").click()
    page.get_by_role("status").wait_for()
    found += faults(page)
    page.go_back()
    page.goto(page.url.replace("/p/", "/still/"))
    found += faults(page)
    assert Consent.objects.filter(act="stays").count() == 1, "to look is not to answer"
    assert (found, errors) == ([], [])


def without_policy(route: Any) -> None:
    """The same page, in which a script of axe-core's may run."""
    answer = route.fetch()
    kept = {name: value for name, value in answer.headers.items() if name != "content-security-policy"}
    route.fulfill(response=answer, headers=kept)


def test_anybody_can_read_the_archive(site: str, browser: Any) -> None:
    """On a phone and at a desk, by day and by night; the message itself beneath what was corrected in it."""
    now = timezone.now()
    newsletter = editions.newsletter()
    stories = [articles.article(headline=f"Headline {n}", standfirst="What it says.", age_s=600 + n) for n in range(7)]
    stories[0].picture = {"url": f"{site}/static/desk.svg", "alt": "A desk"}
    stories[0].save()
    editions.composed(newsletter=newsletter)
    Edition.objects.update(state=Edition.State.SENT, ended_at=now)
    Article.objects.filter(id=stories[0].id).update(version=2, headline="Put right")
    stories[0].version = 2
    bulletins.say(stories[0], kind=Bulletin.Kind.CORRECTION, now=now, said="It was Tuesday, not Monday.")
    holds.kill(article_id=stories[3].id, actor=None, reason="wrong", now=now)
    page, judged, found, errors = browser.new_page(), browser.new_page(), [], []
    judged.route("**/archive/**", without_policy)
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 780})
        page.goto(f"{site}/archive/")
        found += faults(page)
        page.locator("main li a").click()
        page.locator("main ol").wait_for()
        found += faults(page)
        page.locator("main ol a").click()
        page.locator(".dl-notes").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("getComputedStyle(document.querySelector('.dl-notes')).borderTopWidth") == "2px"
        judged.set_viewport_size({"width": width, "height": 780})
        judged.goto(page.url)
        found += faults(judged, own=False)
    door = page.get_by_role("link", name="Get Morning Brief by mail").first.get_attribute("href")
    page.goto(door.replace(config().site_url, site))
    assert page.locator("[name=topics][value=morning-brief]").is_checked()
    assert (found, errors) == ([], [])
