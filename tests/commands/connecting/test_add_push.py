"""The verb that opens a webhook: what it prints works as printed, and is told once."""

from __future__ import annotations

import shlex

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.articles.models import Article
from pipeline.commands.connecting import add_push
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.config import config
from pipeline.sources.models import Look, Push, Source
from pipeline.sources.pushes import limits
from pipeline.sources.pushes.seals import secret_of
from pipeline.staff.models import JournalEntry
from tests.factories import sources


@pytest.fixture
def site(db: None) -> Source:
    limits._away_until[0] = 0.0
    return sources.source(home_url="https://gazette.example/it's/", now=timezone.now())


def test_the_example_it_prints_is_a_good_request_that_changes_nothing(site: Source, client: Client) -> None:
    told = add_push.run(source=str(site.id), kind="webhook")
    words = shlex.split(told["example"])
    assert words[0] == "curl" and words[-1] == told["endpoint"]
    name, value = words[words.index("-H") + 1].split(": ", 1)
    body = words[words.index("--data-binary") + 1].encode()
    path = told["endpoint"].removeprefix(config().site_url)
    answer = client.post(path, data=body, content_type="application/x-www-form-urlencoded", headers={name: value})
    assert (answer.status_code, name) == (202, told["header"])
    assert Look.objects.exists()
    assert not Article.objects.exists()


@pytest.mark.parametrize("given", ["https://gazette.example/it's/", "http://www.gazette.example/it's"])
def test_a_source_is_named_by_its_front_page_too(site: Source, given: str) -> None:
    assert add_push.run(source=given, kind="ghost")["header"] == "X-Ghost-Signature"
    assert Push.objects.get().source == site


def test_a_second_call_keeps_the_address_and_replaces_the_secret(site: Source) -> None:
    first, second = (add_push.run(source=str(site.id), kind="webhook") for _ in range(2))
    push = Push.objects.get()
    assert first["endpoint"] == second["endpoint"]
    assert first["secret"] != second["secret"] == secret_of(push)
    assert second["secret"].encode() not in bytes(push.secret)
    assert [entry.verb for entry in JournalEntry.objects.all()] == ["open_webhook"] * 2
    assert second["secret"] not in str(JournalEntry.objects.values_list("detail", flat=True))


def test_a_webhook_that_was_ended_is_open_again(site: Source) -> None:
    add_push.run(source=str(site.id), kind="webhook")
    Push.objects.update(state=Push.State.ENDED)
    add_push.run(source=str(site.id), kind="webhook")
    assert Push.objects.get().state == Push.State.PENDING


def test_a_ping_needs_no_secret(site: Source, client: Client) -> None:
    told = add_push.run(source=str(site.id), kind="ping")
    assert "secret" not in told
    assert client.post(told["endpoint"].removeprefix(config().site_url)).status_code == 200


@pytest.mark.parametrize(
    ("source", "kind"),
    [("999999", "webhook"), ("9" * 30, "webhook"), ("https://other.example/", "webhook"), ("", "fax")],
)
def test_what_is_not_there_is_said_in_a_sentence(site: Source, source: str, kind: str) -> None:
    with pytest.raises(UnusableInput):
        add_push.run(source=source, kind=kind)
