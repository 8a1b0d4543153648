"""From a page of the site to the reading time the desk shows: a real door, a real stream, the real drain."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from pipeline.articles.identity.names import url_name
from pipeline.articles.models import Alias, Article
from pipeline.engagement.drain import drain
from pipeline.engagement.models import Event, Reading
from pipeline.engagement.settle import settle
from pipeline.kernel.config import config
from tests.factories import articles
from tests.factories.hits import CHROME
from tests.tracking.conftest import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.journey]
STORY = "https://gazette.example/africa/harbour"
HERE = {"Origin": "https://gazette.example", "User-Agent": CHROME}


@pytest.fixture
def story() -> Article:
    made = articles.article()
    kind, value = url_name(STORY)
    Alias.objects.create(source=made.source, kind=kind, value=value, article=made)
    return made


@pytest.fixture
def door(tmp_path: Path, valkey: Any, story: Article, until: Any) -> Iterator[int]:
    """The door as `dateline up` starts it, on this test's database; its port."""
    port = free_port()
    database = make_conninfo(config().database_url, dbname=connection.settings_dict["NAME"])
    environ = {
        **os.environ, "DATELINE_DATA_DIR": str(tmp_path), "DATELINE_SECRET_KEY": "s" * 60, "REDIS_URL": valkey.url,
        "DATABASE_URL": database, "DATELINE_SITE_URL": "https://gazette.example",
    }  # fmt: skip
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--no-ws", "--log-level", "error"]
    process = subprocess.Popen([*command, "--port", str(port), "pipeline.tracking.app:app"], env=environ)
    try:
        until(lambda: asked(port, "GET", "/healthz")[0] == 200)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def asked(port: int, method: str, path: str, **headers: str) -> tuple[int, bytes]:
    """One request as a browser sends it; (0, nothing) where nobody listens yet."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as line:
        try:
            line.request(method, path, headers={**HERE, **headers})
            answer = line.getresponse()
        except ConnectionError:
            return 0, b""
        return answer.status, answer.read()


def test_the_time_a_page_was_shown_becomes_its_articles_reading(door: int, valkey: Any, story: Article) -> None:
    status, body = asked(door, "GET", f"/b/page?url={STORY}")
    assert status == 200
    token = json.loads(body)["token"]
    for seconds, number in ((12, 0), (30, 1)):
        assert asked(door, "POST", f"/b/{token}?s={seconds}&n={number}")[0] == 204
    assert asked(door, "POST", f"/b/{token}?s=50&n=0", **{"User-Agent": "curl/8.9"})[0] == 204
    assert asked(door, "POST", f"/b/{token}?s=60&n=0", **{"Sec-GPC": "1"})[0] == 204
    dropped = json.loads(asked(door, "GET", "/healthz")[1])["dropped"]
    assert dropped == {"view: asked not to be measured": 1}

    now = timezone.now()
    with redis.Redis.from_url(valkey.url) as client:
        assert drain(client=client, now=now) == 3
        assert drain(client=client, now=now) == 0
    read = Reading.objects.get()
    assert (read.article_id, read.views, read.seconds) == (story.id, 1, 42)
    assert read.day in {int(now.timestamp()) // 86_400, int((now - timedelta(minutes=1)).timestamp()) // 86_400}
    settle(now=now + timedelta(hours=1))
    assert sorted(Event.objects.values_list("verdict", "ordinal")) == [("human", 0), ("human", 0), ("scanner", 0)]
