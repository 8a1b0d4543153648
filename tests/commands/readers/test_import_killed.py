"""`dateline import-subscribers` killed half-way and started again: nobody is lost, nobody is there twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from pipeline.audience.models import Consent, Import, ImportFault, Subscriber, Subscription
from pipeline.kernel.config import config
from tests.factories import audience

ROWS = 20_000
BAD_EVERY, TWICE_EVERY = 997, 1009


def addresses() -> list[str]:
    """Most are sound; some are none, and some say again what stood ten rows before."""
    made = [f"reader-{n}@example{n % 7}.org" for n in range(ROWS)]
    for n in range(10, ROWS):
        if n % BAD_EVERY == 0:
            made[n] = f"nobody {n}"
        elif n % TWICE_EVERY == 0:
            made[n] = made[n - 10].upper()
    return made


def environment() -> dict[str, str]:
    """Of a process beside this one, on this test's database."""
    at = connection.settings_dict
    database = f"postgresql://{at['USER']}@/{at['NAME']}?host={quote(str(at['HOST']), safe='')}"
    return {**os.environ, "DATABASE_URL": database, "REDIS_URL": config().redis_url}


def started(file: Path) -> subprocess.Popen[str]:
    verb = [sys.executable, "-m", "pipeline", "import-subscribers", str(file), "--topic", audience.topic().slug]
    return subprocess.Popen(
        verb, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def killed_when_half_is_in(process: subprocess.Popen[str]) -> None:
    while process.poll() is None and not Import.objects.filter(position__gte=ROWS // 2).exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(120)
def test_an_import_killed_half_way_goes_on_and_nobody_is_lost_or_doubled(tmp_path: Path) -> None:
    audience.topic()
    given = addresses()
    file = tmp_path / "readers.csv"
    file.write_text("email\n" + "\n".join(given) + "\n", encoding="utf-8")
    killed_when_half_is_in(started(file))
    half = Import.objects.get()
    assert (half.state, ROWS // 2 <= half.position < ROWS) == ("running", True)
    assert Subscriber.objects.count() == half.added, "a chunk is in with its readers, or not at all"

    second = started(file)
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    told = json.loads(out.strip().splitlines()[-1])
    sound = [address.lower() for address in given if "@" in address]
    assert told["read"] == ROWS
    assert told["entered"] == len(set(sound)) > half.added, "both starts together"
    assert (told["known"], told["refused"]) == (len(sound) - len(set(sound)), ROWS - len(sound))
    assert set(Subscriber.objects.values_list("address", flat=True)) == set(sound)
    follows = Counter(Subscription.objects.values_list("subscriber__address", flat=True))
    evidence = Counter(Consent.objects.values_list("subscriber__address", flat=True))
    assert follows == evidence == dict.fromkeys(sound, 1)
    bad = [n + 2 for n, address in enumerate(given) if "@" not in address]  # the header is line 1
    assert list(ImportFault.objects.order_by("row").values_list("row", flat=True)) == bad
