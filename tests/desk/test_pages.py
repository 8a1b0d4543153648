"""What holds for every page of the desk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from lxml import html as lxml_html

from pipeline.audience.models import Import, Segment, Subscriber
from pipeline.desk.frame import MORE, SCREENS
from pipeline.desk.urls import urlpatterns
from pipeline.editions.models import Design
from pipeline.hooks.models import Hook, Notice
from pipeline.kernel.config import TEMPLATES
from pipeline.posts.models import Account

pytestmark = pytest.mark.django_db
READABLE = [
    "readers",
    "reader",
    "erasing",
    "segments",
    "new_segment",
    "segment",
    "imports",
    "reader_import",
    "hooks",
    "hook",
    "today",
    "articles",
    "posts",
    "status",
    "editions",
    "edition",
    "message",
    "message_text",
    "pool",
    "progress",
    "queue",
    "send",
    "send_providers",
    "all_results",
    "results",
    "results_csv",
    "results_json",
    "deliveries",
    "sources",
    "source",
    "article",
    "alert",
    "calendar",
    "newsletter",
    "popular",
    "social_account",
    "account",
    "tokens",
    "people",
    "journal",
    "find",
    "settings",
    "blocks",
    "designs",
    "design",
    "guide",
    "guide_site",
    "guide_newsletter",
    "guide_sender",
    "guide_dns",
    "guide_design",
    "guide_readers",
    "guide_accounts",
    "guide_test",
]
#: For whoever is not signed in yet.
OPEN = {"calendar_feed", "decide", "sign_in", "sign_out", "code", "join"}
PAGES = [
    "/desk/readers/", "/desk/readers/?q=cleo", "/desk/readers/?q=%00", "/desk/readers/{reader}/", "/desk/readers/{reader}/erase",
    "/desk/readers/segments/", "/desk/readers/segments/new", "/desk/readers/segments/{segment}/", "/desk/readers/imports/", "/desk/readers/imports/{import_}/",
    "/desk/hooks/", "/desk/hooks/{hook}/",
    "/desk/", "/desk/editions/", "/desk/editions/?state=ready", "/desk/articles/", "/desk/articles/?state=held", "/desk/posts/",
    "/desk/posts/?state=draft", "/desk/status/", "/desk/editions/{ready}/", "/desk/editions/{ready}/pool", "/desk/editions/{leaving}/pool?q=%00&show=x", "/desk/editions/{leaving}/",
    "/desk/editions/{leaving}/deliveries/", "/desk/editions/{leaving}/deliveries/?state=unknown", "/desk/posts/?page=x&state=%00",
    "/desk/articles/{article}/", "/desk/articles/?source=9x", "/desk/sources/", "/desk/sources/?state=trouble", "/desk/sources/{source}/",
    "/desk/alerts/", "/desk/alerts/?article={article}",
    "/desk/queue/", "/desk/queue/?state=sending", "/desk/queue/?state=approval", "/desk/queue/{leaving}/",
    "/desk/results/", "/desk/editions/{leaving}/results/",
    "/desk/calendar/", "/desk/newsletters/{newsletter}/", "/desk/popular/", "/desk/posts/accounts/{account}/", "/desk/account/", "/desk/account/tokens/", "/desk/people/", "/desk/journal/",
    "/desk/newsletters/{newsletter}/settings", "/desk/newsletters/{newsletter}/blocks", "/desk/designs/", "/desk/designs/{design}/", "/desk/guide/", "/desk/guide/site", "/desk/guide/newsletter", "/desk/guide/sender", "/desk/guide/design", "/desk/guide/readers", "/desk/guide/accounts", "/desk/guide/test",
]  # fmt: skip


def address(url: str, morning: Any) -> str:
    held = morning.held.article
    return url.format(
        account=Account.objects.values_list("id", flat=True).first(),
        newsletter=morning.ready.newsletter_id,
        design=Design.objects.values_list("id", flat=True).first(),
        ready=morning.ready.id,
        leaving=morning.leaving.edition_id,
        article=held.id,
        source=held.source_id,
        reader=Subscriber.objects.values_list("id", flat=True).first(),
        segment=Segment.objects.values_list("id", flat=True).first(),
        hook=Hook.objects.values_list("id", flat=True).first(),
        import_=Import.objects.values_list("id", flat=True).first(),
    )


def below(pattern: Any, morning: Any, *, edition: int) -> str:
    """An address of a pattern, with numbers of rows that are there."""
    held = morning.held
    numbers = {
        "edition_id": edition,
        "hold_id": held.id,
        "article_id": held.article_id,
        "source_id": held.article.source_id,
        "post_id": 1,
        "user_id": 1,
        "pin_id": 1,
        "design_id": Design.objects.values_list("id", flat=True).first() or 1,
        "version_id": 1,
        "token_id": 1,
        "account_id": Account.objects.values_list("id", flat=True).first() or 1,
        "newsletter_id": morning.ready.newsletter_id,
        "subscriber_id": Subscriber.objects.values_list("id", flat=True).first() or 1,
        "segment_id": Segment.objects.values_list("id", flat=True).first() or 1,
        "hook_id": Hook.objects.values_list("id", flat=True).first() or 1,
        "notice_id": Notice.objects.values_list("id", flat=True).first() or 1,
        "import_id": Import.objects.values_list("id", flat=True).first() or 1,
    }
    found = str(pattern.pattern)
    for name, number in numbers.items():
        found = found.replace(f"<int:{name}>", str(number))
    assert "<" not in found
    return f"/desk/{found}"


def ill_made(document: Any) -> Iterator[str]:
    """What is wrong with a page, in words."""
    if [len(document.findall(f".//{name}")) for name in ("h1", "main", "footer")] != [1, 1, 1]:
        yield "not one h1, main and footer"
    if document.xpath("//style | //script[not(@src)] | //*[@style] | //@*[starts-with(name(), 'on')]"):
        yield "a script or style within the page"
    ids = document.xpath("//@id")
    yield from (f"two of id {one}" for one in {one for one in ids if ids.count(one) > 1})
    fields = document.xpath("//main//input[not(@type='hidden')]/@id | //main//textarea/@id")
    yield from (f"no label for {one}" for one in set(fields) - set(document.xpath("//label/@for")))
    if document.xpath("//form[@method='post'][not(.//input[@name='csrfmiddlewaretoken'])]"):
        yield "a form without a token"
    if document.xpath("//form[not(@method='post') and not(@method='dialog') and not(@role='search')]"):
        yield "a form that neither posts nor searches"
    levels = [int(node.tag[1]) for node in document.xpath("//h1 | //h2 | //h3 | //h4")]
    yield from (f"h{after} after h{before}" for before, after in pairwise(levels) if after - before > 1)


def ill_sent(headers: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the headers of a page."""
    policy = headers["Content-Security-Policy"]
    if "no-store" not in headers["Cache-Control"]:
        yield "may be kept by caches"
    if "script-src 'self'" not in policy or "unsafe" in policy:
        yield f"allows foreign scripts: {policy}"


# One morning serves all pages of a test: it takes longer to make than a page, and no look changes it.


def test_every_page_is_well_made_labelled_and_kept_out_of_caches(desk: Client, morning: Any) -> None:
    faults = []
    for url in PAGES:
        answer = desk.get(address(url, morning))
        assert answer.status_code == 200, url
        document = lxml_html.document_fromstring(answer.content.decode())
        faults += [(url, fault) for fault in (*ill_made(document), *ill_sent(answer.headers))]
    assert faults == []


def test_every_screen_is_among_the_pages_looked_at() -> None:
    screens = [next(str(p.pattern) for p in urlpatterns if p.name == one.name) for one in (*SCREENS, *MORE)]
    assert [f"/desk/{screen}" for screen in screens if f"/desk/{screen}" not in PAGES] == []


def test_nothing_is_shown_or_done_for_a_stranger(client: Client, morning: Any) -> None:
    for pattern in urlpatterns:
        if pattern.name in OPEN:
            continue
        url = below(pattern, morning, edition=morning.leaving.edition_id)
        for answer in (client.get(url), client.post(url)):
            assert answer.status_code == 302, url
            assert answer.headers["Location"].startswith("/desk/sign-in/?next="), url


def test_nothing_changes_by_a_get(desk: Client, morning: Any) -> None:
    acts = [pattern for pattern in urlpatterns if pattern.name not in {*OPEN, *READABLE}]
    answers = {p.name: desk.get(below(p, morning, edition=morning.ready.id)).status_code for p in acts}
    assert {name: status for name, status in answers.items() if status != 405} == {}


def test_a_page_takes_no_post(desk: Client, morning: Any) -> None:
    found = {pattern.name: pattern for pattern in urlpatterns}
    urls = {name: below(found[name], morning, edition=morning.leaving.edition_id) for name in READABLE}
    answers = {name: desk.post(url).status_code for name, url in urls.items()}
    assert {name: status for name, status in answers.items() if status != 405} == {}


@pytest.mark.parametrize("url", ["/desk/editions/999999/", "/desk/editions/999999/message.html", "/desk/editions/999999/deliveries/", "/desk/editions/99999999999999999999/", "/desk/sources/999999/", "/desk/articles/999999/"])  # fmt: skip
def test_what_is_not_there_is_not_found(desk: Client, url: str) -> None:
    assert desk.get(url).status_code == 404


@pytest.mark.parametrize("name", ["400", "403", "404", "500"])
def test_an_error_page_needs_nothing_but_itself(name: str) -> None:
    from django.template import engines

    told = engines["jinja2"].get_template(f"errors/{name}.html").render({})
    document = lxml_html.document_fromstring(told)
    assert document.findtext(".//h1")
    assert not document.xpath("//style | //script | //*[@style]")


def test_no_template_of_the_desk_marks_text_as_safe() -> None:
    sources = [file.read_text(encoding="utf-8") for file in (TEMPLATES / "pages" / "desk").glob("*.html")]
    assert not [source for source in sources if "safe" in source.replace("unsafe", "") or "autoescape" in source]
