"""An edition to 20,000 readers, from frozen rows in PostgreSQL to recorded results, through a fast sink; peer: Django.

    python -m benchmarks.sending [--recipients N] [--million] [--dkim]

prints JSON. Everything a batch does is in it: claim, tokens, merge, journal, submission, results, release. The peer is
what a Django project does without an engine: EmailMultiAlternatives and a saved row for each reader. `--million` shows
that the last tenth goes at the rate of the first and that memory does not grow. CPU is this process's alone.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import certificates, engines
from benchmarks.smtp import sink

if TYPE_CHECKING:
    from pipeline.delivery.models import Send
    from pipeline.kernel.config import Config

STORIES, PEERS, PAGE = 19, 300, 4096
SUMMARY = "The council decided on Tuesday night what the valley had argued about for years, and said why it did. " * 6

_READERS = """
WITH made AS (
  INSERT INTO dateline_subscriber (address, address_hash, name, state, language, zone, created_at)
  SELECT 'reader-' || n || '@example.org', decode(md5(n::text), 'hex'), '', 'active', 'en', 'UTC', now()
    FROM generate_series(1, %(count)s) AS n
  RETURNING id)
INSERT INTO dateline_subscription (subscriber_id, topic_id, since) SELECT id, %(topic)s, now() FROM made
"""


def run(*, recipients: int = 20_000, dkim: bool = False) -> dict[str, Any]:
    """One send whole, in tenths, and the peer over some of its rows first."""
    with engines.running() as read, sink() as near, sink("--chunking") as chunking:
        config = replace(read, smtp_url=f"smtp://127.0.0.1:{chunking}", workers=1, **_key(dkim))
        send = _frozen(recipients)
        peer = _django(send, port=near)
        tenths, octets = _ours(send, config=config)
    cpu = statistics.median(tenth["cpu_us_per_message"] for tenth in tenths)
    return {
        "name": "send an edition" + (", DKIM RSA-2048" if dkim else ""),
        "recipients": recipients,
        "octets_per_message": octets,
        "rows": [
            {"what": "Dateline", "cpu_us_per_message": cpu, "messages_per_s_and_core": round(1e6 / cpu),
             "messages_per_s": round(statistics.median(tenth["messages_per_s"] for tenth in tenths))},
            {"what": "Django EmailMultiAlternatives", **peer},
        ],
        "tenths": tenths,
        "ratios": {
            "Django / Dateline (cpu)": round(peer["cpu_us_per_message"] / cpu, 1),
            "last tenth / first (rate)": round(tenths[-1]["messages_per_s"] / tenths[0]["messages_per_s"], 2),
            "last tenth / second (rss)": round(tenths[-1]["rss_mb"] / tenths[1]["rss_mb"], 3),
        },
    }  # fmt: skip


def _key(wanted: bool) -> dict[str, str]:
    from cryptography.hazmat.primitives.asymmetric import rsa

    if not wanted:
        return {}
    made = certificates.pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    return {"dkim_key": made, "dkim_selector": "s1"}


def _frozen(recipients: int) -> Send:
    from django.db import connection
    from django.utils import timezone

    from tests.factories import articles, delivery, editions

    blocks = ({"kind": "lead", "title": "", "rule": {"count": 1}}, {"kind": "top", "title": "", "rule": {"count": 20}})
    newsletter = editions.newsletter(blocks=blocks)
    for number in range(STORIES):
        articles.article(headline=f"Story {number} of the council", standfirst=f"{number}. {SUMMARY}")
    with connection.cursor() as cursor:
        cursor.execute(_READERS, {"count": recipients, "topic": newsletter.topic_id})
        cursor.execute("ANALYZE")
    made = delivery.send(edition=editions.composed(newsletter=newsletter), now=timezone.now())
    assert made.recipients == recipients, made.state
    return made


def _ours(send: Send, *, config: Config) -> tuple[list[dict[str, float]], int]:
    from django.utils import timezone

    from pipeline.delivery.batches import batch
    from pipeline.delivery.models import Batch, Delivery
    from pipeline.delivery.models import Send as Row

    numbers = list(Batch.objects.filter(send=send, state="pending").order_by("number").values_list("id", flat=True))
    step = max(1, len(numbers) // 10)
    tenths = []
    for first in range(0, step * (len(numbers) // step), step):
        cpu, started, answered = _cpu(), time.perf_counter(), 0
        for number in numbers[first : first + step]:
            answered += batch.submit(batch_id=number, config=config, now=timezone.now()) or 0
        spent, elapsed = _cpu() - cpu, time.perf_counter() - started
        tenths.append(
            {
                "cpu_us_per_message": round(spent / answered * 1e6, 1),
                "messages_per_s": round(answered / elapsed),
                "rss_mb": round(int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6, 1),
            }
        )
    for number in numbers[step * (len(numbers) // step) :]:
        batch.submit(batch_id=number, config=config, now=timezone.now())
    left = Delivery.objects.filter(send=send).exclude(state="accepted").count()
    assert left == 0, f"{left} not accepted"
    assert Row.objects.get(id=send.id).state == Row.State.SUBMITTED
    return tenths, _octets(send, config=config)


def _octets(send: Send, *, config: Config) -> int:
    from django.utils import timezone

    from pipeline.delivery.message import mail
    from pipeline.editions.models import Edition

    edition = Edition.objects.select_related("rendering", "newsletter", "send").get(id=send.edition_id)
    return len(mail.composer(edition, config=config, now=timezone.now())(1, "reader-1@example.org")[1])


def _django(send: Send, *, port: int) -> dict[str, float]:
    from django.core.mail import EmailMultiAlternatives
    from django.core.mail.backends.smtp import EmailBackend

    from pipeline.delivery.models import Delivery
    from pipeline.editions.models import Rendering

    rendering = Rendering.objects.get(edition_id=send.edition_id)
    cpu, started = _cpu(), time.perf_counter()
    with EmailBackend(host="127.0.0.1", port=port, username="", password="", use_tls=False) as backend:
        for row in Delivery.objects.filter(send=send).order_by("ordinal")[:PEERS]:
            letter = EmailMultiAlternatives(
                "Today", rendering.text, "a@dispatch.example", [row.address], connection=backend
            )
            letter.attach_alternative(rendering.html, "text/html")
            letter.send()
            row.smtp_code = 250
            row.save(update_fields=["smtp_code"])
    spent, elapsed = _cpu() - cpu, time.perf_counter() - started
    return {"cpu_us_per_message": round(spent / PEERS * 1e6, 1), "messages_per_s": round(PEERS / elapsed)}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="an edition from rows to results")
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--dkim", action="store_true")
    asked = parser.parse_args()
    print(json.dumps(run(recipients=1_000_000 if asked.million else asked.recipients, dkim=asked.dkim), indent=1))
