"""Handing 60 KB messages to a local sink: our engine against smtplib, aiosmtplib and Django, in one run.

python -m benchmarks.smtp prints JSON. Promise (DESIGN section 6): at least 20,000 messages a second and core of client
CPU, and ten times what smtplib and aiosmtplib manage in the same run. The second part answers 30 ms late, as a relay
across a continent does: there the round trips decide, not the CPU.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import smtplib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import aiosmtplib

from pipeline.channels.base import Envelope, MailServer, Outcome, Receipt
from pipeline.channels.mail.smtp import SmtpEngine

SIZE = 60_000
LINE = b'<td style=3D"padding:0 12px">What the council decided on Tuesday night, and why</td>\r\n'
HEAD = b"From: news@example.com\r\nSubject: Today\r\nContent-Type: text/html\r\n\r\n"
BODY = (HEAD + LINE * (SIZE // len(LINE) + 1))[: SIZE - 2] + b"\r\n"
SENDER = "news@example.com"

#: What a client does: (port, messages, connections).
Client = Callable[[int, int, int], None]


class _Silent:
    """A journal that keeps nothing: the file's cost is measured with the send, not here."""

    def dot(self, key: int) -> None: ...

    def answer(self, receipt: Receipt) -> None: ...


def engine(port: int, messages: int, connections: int) -> None:
    receipts: list[Receipt] = []
    SmtpEngine(MailServer("127.0.0.1", port, connections=connections)).submit(
        (Envelope(key, SENDER, f"reader{key}@example.org", BODY) for key in range(messages)),
        journal=_Silent(),
        record=receipts.append,
        stopping=lambda: False,
    )
    assert sum(receipt.outcome is Outcome.ACCEPTED for receipt in receipts) == messages


def plain_smtplib(port: int, messages: int, connections: int) -> None:
    def one() -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            for key in range(messages // connections):
                client.sendmail(SENDER, [f"reader{key}@example.org"], BODY)

    threads = [threading.Thread(target=one) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def plain_aiosmtplib(port: int, messages: int, connections: int) -> None:
    async def one() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as client:
            for key in range(messages // connections):
                await client.sendmail(SENDER, [f"reader{key}@example.org"], BODY)

    async def every() -> None:
        await asyncio.gather(*(one() for _ in range(connections)))

    asyncio.run(every())


def django_mail(port: int, messages: int, connections: int) -> None:
    """EmailMessage.send over one reused connection, as `send_mass_mail` does; it has no more than one."""
    from django.conf import settings
    from django.core.mail import EmailMessage
    from django.core.mail.backends.smtp import EmailBackend

    assert connections == 1
    if not settings.configured:
        settings.configure()
    text = (LINE * (SIZE // len(LINE))).decode()
    with EmailBackend(host="127.0.0.1", port=port, username="", password="", use_tls=False) as backend:
        for key in range(messages):
            EmailMessage("Today", text, SENDER, [f"reader{key}@example.org"], connection=backend).send()


@contextlib.contextmanager
def sink(*options: str) -> Iterator[int]:
    """A sink in its own process; gives its port."""
    command = [sys.executable, "-m", "benchmarks.sink", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def measured(client: Client, *, port: int, messages: int, connections: int) -> tuple[float, float]:
    """Seconds of CPU of this process, and of the clock, for one message."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    client(port, messages, connections)
    elapsed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu / messages, elapsed / messages


#: name, client, the sink's options, messages near, connections near, messages far (0: not run), connections far
PLANS: tuple[tuple[str, Client, tuple[str, ...], int, int, int, int], ...] = (
    ("engine DATA", engine, (), 6000, 4, 1600, 16),
    ("engine BDAT", engine, ("--chunking",), 6000, 4, 1600, 16),
    ("engine DATA, 1 connection", engine, (), 4000, 1, 0, 0),
    ("engine lock-step", engine, ("--lock-step",), 3000, 4, 320, 16),
    ("smtplib", plain_smtplib, (), 600, 1, 320, 16),
    ("aiosmtplib", plain_aiosmtplib, (), 300, 1, 320, 16),
    ("Django EmailMessage", django_mail, (), 150, 1, 0, 0),
)


def rows(*, delay_ms: int, repeats: int) -> list[dict[str, object]]:
    """One row a client, medians of interleaved repeats: what else the machine does falls on all alike."""
    taken: dict[str, list[tuple[float, float]]] = {}
    shape: dict[str, tuple[int, int]] = {}
    for _ in range(repeats):
        for name, client, options, near, near_connections, far, far_connections in PLANS:
            messages, connections = (far, far_connections) if delay_ms else (near, near_connections)
            if not messages:
                continue
            shape[name] = messages, connections
            with sink("--delay-ms", str(delay_ms), *options) as port:
                figures = measured(client, port=port, messages=messages, connections=connections)
            taken.setdefault(name, []).append(figures)
    return [_row(name, delay_ms, shape[name], figures) for name, figures in taken.items()]


def _row(name: str, delay_ms: int, shape: tuple[int, int], figures: list[tuple[float, float]]) -> dict[str, object]:
    cpu, wall = (statistics.median(column) for column in zip(*figures, strict=True))
    return {
        "client": name,
        "delay_ms": delay_ms,
        "messages": shape[0],
        "connections": shape[1],
        "repeats": len(figures),
        "cpu_us_per_message": round(cpu * 1e6, 1),
        "messages_per_s_and_core": round(1 / cpu),
        "messages_per_s": round(1 / wall),
    }


def run(*, repeats: int = 5, far_repeats: int = 3) -> dict[str, object]:
    near, far = rows(delay_ms=0, repeats=repeats), rows(delay_ms=30, repeats=far_repeats)
    cpu = {str(row["client"]): float(str(row["cpu_us_per_message"])) for row in near}
    speed = {str(row["client"]): float(str(row["messages_per_s"])) for row in far}
    others = ("smtplib", "aiosmtplib", "Django EmailMessage")
    ratios = {
        f"{name} / {ours} (cpu)": cpu[name] / cpu[ours] for ours in ("engine DATA", "engine BDAT") for name in others
    }
    ratios |= {
        f"engine DATA / {name} (30 ms, 16 connections)": speed["engine DATA"] / speed[name] for name in others[:2]
    }
    return {
        "name": f"submit by SMTP, {len(BODY)} octets a message",
        "rows": near + far,
        "ratios": {name: round(ratio, 1) for name, ratio in ratios.items()},
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
