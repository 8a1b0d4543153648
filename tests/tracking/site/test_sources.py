"""The site's two questions, put to the real tables."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from pipeline.articles.identity.names import url_name
from pipeline.articles.models import Alias
from pipeline.kernel.config import config
from pipeline.ranking.models import Chart
from pipeline.tracking.site.sources import Drawn, PostgresSite
from tests.factories import articles

pytestmark = pytest.mark.django_db(transaction=True)


def asked(known: list[str], url: str) -> tuple[list[Drawn], int | None]:
    async def both() -> tuple[list[Drawn], int | None]:
        site = PostgresSite(make_conninfo(config().database_url, dbname=connection.settings_dict["NAME"]))
        try:
            return await site.charts(known=known), await site.article(url)
        finally:
            await site.close()

    return asyncio.run(both())


def test_charts_come_once_and_again_when_they_change() -> None:
    now = timezone.now()
    chart = Chart.objects.create(window="now", version="a", computed_at=now, changed_at=now, bodies={"json": "1"})
    (first,), _ = asked([], "")
    (known,), _ = asked([first.mark], "")
    Chart.objects.filter(id=chart.id).update(changed_at=now + timedelta(seconds=1), bodies={"json": "2"})
    (changed,), _ = asked([first.mark], "")
    assert (first.window, first.section, first.bodies) == ("now", "", {"json": "1"})
    assert known == first._replace(bodies=None)
    assert changed.bodies == {"json": "2"}


def test_a_page_is_its_article_by_every_spelling_of_its_address() -> None:
    story = articles.article()
    kind, value = url_name("https://gazette.example/africa/harbour")
    Alias.objects.create(source=story.source, kind=kind, value=value, article=story)
    found = {
        asked([], f"{scheme}gazette.example/africa/harbour{end}")[1]
        for scheme in ("https://", "http://www.")
        for end in ("", "/", "?utm_source=x", "#top")
    }
    assert found == {story.id}
    assert asked([], "https://gazette.example/africa/other")[1] is None
