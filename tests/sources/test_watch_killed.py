"""A worker that dies in a look, and the look that is not repeated at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection

from pipeline.sources import watch
from pipeline.sources.models import Channel
from tests.factories import sources
from tests.factories.sites import NOW, Reply, Site

pytestmark = pytest.mark.django_db(transaction=True)

#: What a Celery child does, with a parser that takes its process with it.
_LOOK = """
import os, signal, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "pipeline.settings"
import django
django.setup()
from datetime import datetime
from pipeline.kernel.outbound.http import Client
from pipeline.sources import watch
from pipeline.sources.formats import feeds
feeds.read = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
client = Client(site_url="http://127.0.0.1", allow=frozenset({sys.argv[3]}))
watch.look(channel_id=int(sys.argv[1]), now=datetime.fromisoformat(sys.argv[2]), client=client)
"""


def test_input_that_kills_its_reader_is_met_ever_more_seldom(site: Site) -> None:
    site.publish(3)
    channel = sources.channel(source=sources.source(home_url=site.url), url=f"{site.url}feed/")
    now, waits = NOW, []
    with site.client() as client:
        for _ in range(2):
            assert _child(channel.id, now.isoformat(), site.place) == -signal.SIGKILL
            row = Channel.objects.get(id=channel.id)
            assert watch.ring_due(now=now) == 0
            waits.append((row.next_due_at - now).total_seconds())
            assert watch.look(channel_id=channel.id, now=now, client=client) is None
            now = row.next_due_at + timedelta(seconds=1)
            Channel.objects.update(leased_until=None)  # the dead one's lease ends by the database's clock
        assert waits == [60, 120]
        assert site.paths() == ["/feed/"] * 2
        mended = b"<rss version='2.0'><channel><title>mended</title></channel></rss>"
        site.routes["/feed/"] = lambda _: Reply(200, mended)
        assert watch.look(channel_id=channel.id, now=now, client=client) == 0
    assert Channel.objects.get(id=channel.id).errors == 0


def _child(*arguments: object) -> int:
    known = connection.settings_dict
    url = f"postgresql://{known['USER']}@/{known['NAME']}?host={quote(str(known['HOST']), safe='')}"
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, *map(str, arguments)],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode
