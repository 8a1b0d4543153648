"""Doorbells: every job has its queue, a bell rings after the commit, and a dead broker costs nobody their work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import transaction
from kombu.connection import Connection

from pipeline.audience.models import Topic
from pipeline.kernel import queue
from pipeline.kernel.config import config
from pipeline.kernel.processes.binaries import redis_server
from pipeline.kernel.queue import QUEUE_OF, Job, Queue, broker_url, celery_settings, ring, wake


def waiting(client: redis.Redis, name: Queue) -> list[tuple[str, dict[str, int]]]:
    """Tasks in a queue with their ids, oldest first."""
    told = [json.loads(message) for message in reversed(client.lrange(f"dateline:{name.value}", 0, -1))]
    return [(one["headers"]["task"], json.loads(b64decode(one["body"]))[1]) for one in told]


@pytest.fixture
def broker(engines: object) -> Iterator[redis.Redis]:
    names = [f"dateline:{name.value}" for name in Queue]
    with redis.Redis.from_url(config().redis_url) as client:
        client.delete(*names)
        yield client
        client.delete(*names)


@pytest.mark.parametrize(
    ("redis_url", "expected"),
    [
        ("redis://cache.example:6379/0", "redis://cache.example:6379/0"),
        ("rediss://u:p@cache.example:6380/2", "rediss://u:p@cache.example:6380/2"),
        ("unix:///srv/run/redis.sock?db=0", "redis+socket:///srv/run/redis.sock?virtual_host=0"),
        ("unix:///srv/run/redis.sock?db=3", "redis+socket:///srv/run/redis.sock?virtual_host=3"),
        ("unix:///srv/run/redis.sock", "redis+socket:///srv/run/redis.sock?virtual_host=0"),
        ("unix://:pass@/srv/run/redis.sock?db=1", "redis+socket://:pass@/srv/run/redis.sock?virtual_host=1"),
    ],
)  # fmt: skip
def test_a_redis_address_is_spelled_as_celery_wants_it(redis_url: str, expected: str) -> None:
    assert broker_url(redis_url) == expected


def test_the_spelling_reaches_the_same_database(engines: object) -> None:
    address = config().redis_url.replace("db=0", "db=3")
    reach = Connection(broker_url(address), transport_options={"global_keyprefix": "dateline:"})  # type: ignore[no-untyped-call]
    with reach as link:
        link.SimpleQueue("spelling").put({"hello": 1})
    with redis.Redis.from_url(address) as client:
        assert client.llen("dateline:spelling") == 1
        client.flushdb()


def test_every_job_has_a_queue_and_every_queue_a_job() -> None:
    assert set(QUEUE_OF) == set(Job)
    assert set(QUEUE_OF.values()) == set(Queue)
    settings = celery_settings("redis://h/0")
    assert {task: route["queue"] for task, route in settings["task_routes"].items()} == {
        job.value: name.value for job, name in QUEUE_OF.items()
    }
    assert set(settings["task_queues"]) == {name.value for name in Queue}


@pytest.mark.parametrize("job", list(Job))
def test_a_ring_puts_the_ids_and_nothing_else_into_the_jobs_own_queue(broker: redis.Redis, job: Job) -> None:
    ring(job, row_id=7)
    assert waiting(broker, QUEUE_OF[job]) == [(job.value, {"row_id": 7})]
    assert sum(broker.llen(f"dateline:{name.value}") for name in Queue) == 1


@pytest.mark.django_db(transaction=True)
def test_a_bell_rings_after_the_commit_so_that_the_worker_finds_the_row(broker: redis.Redis) -> None:
    with transaction.atomic():
        row = Topic.objects.create(slug="evening", name="Evening")
        wake(Job.EDITIONS_COMPOSE, edition_id=row.id)
        assert waiting(broker, Queue.FAST) == []
    assert waiting(broker, Queue.FAST) == [("editions.compose", {"edition_id": row.id})]


@pytest.mark.django_db(transaction=True)
def test_no_bell_rings_for_what_was_rolled_back(broker: redis.Redis) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        wake(Job.EDITIONS_COMPOSE, edition_id=1)
        raise ZeroDivisionError
    assert waiting(broker, Queue.FAST) == []


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_rings_at_once(broker: redis.Redis) -> None:
    wake(Job.POSTS_PUBLISH, post_id=1)
    assert waiting(broker, Queue.SOCIAL) == [("posts.publish", {"post_id": 1})]


class Broker:
    """A server of our own to kill."""

    def __init__(self, place: Path) -> None:
        self.place, self.socket = place, place / "r.sock"
        self.url = f"unix://{self.socket}?db=0"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        argv = [redis_server(), "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.place), "--save", ""]
        self._child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.02)

    def kill(self) -> None:
        if self._child is not None:
            os.kill(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._child = None


@pytest.fixture
def mortal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    made = Broker(tmp_path)
    made.start()
    here = replace(config(), redis_url=made.url)
    monkeypatch.setattr(queue, "config", lambda: here)
    queue._bell.cache_clear()
    yield made
    made.kill()
    queue._bell.cache_clear()


def test_a_dead_broker_is_a_line_in_the_log_and_costs_nobody_a_wait(
    mortal: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """Celery's own patience was six seconds a ring; a tick with fifty of them took five minutes."""
    ring(Job.POSTS_PUBLISH, post_id=1)
    mortal.kill()
    start = time.monotonic()
    for number in range(5):
        ring(Job.POSTS_PUBLISH, post_id=number)
    assert time.monotonic() - start < 3
    assert caplog.text.count("the bell for posts.publish did not ring") == 5


def test_a_bell_rings_again_once_its_broker_is_back(mortal: Broker) -> None:
    ring(Job.POSTS_PUBLISH, post_id=1)
    mortal.kill()
    ring(Job.POSTS_PUBLISH, post_id=2)
    mortal.start()
    with redis.Redis.from_url(mortal.url) as client:
        for attempt in range(3, 6):
            ring(Job.POSTS_PUBLISH, post_id=attempt)
            if found := waiting(client, Queue.SOCIAL):
                break
    assert found
    assert found[0][1] in ({"post_id": 3}, {"post_id": 4}), "at most one ring is lost to the old connection"


def test_nothing_is_pickled_and_nothing_is_kept(engines: object) -> None:
    settings: dict[str, Any] = celery_settings("redis://h/0")
    assert (settings["task_serializer"], settings["accept_content"]) == ("json", ["json"])
    assert (settings["result_backend"], settings["task_ignore_result"]) == (None, True)
    assert settings["broker_transport_options"]["socket_timeout"] == 10
    assert settings["task_create_missing_queues"] is False
