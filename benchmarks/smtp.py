"""Handing 60 KB messages to a local sink: our engine against smtplib, aiosmtplib and Django, in one run.

python -m benchmarks.smtp prints JSON. Promise (DESIGN section 6): at least 20,000 messages a second and core of client
CPU, and ten times what smtplib and aiosmtplib manage in the same run. The second part answers 30 ms late, as a relay
across a continent does: there the round trips decide, not the CPU.

"bare socket" is the floor: the same octets in one write each, by a loop that parses no answer. What it costs is the
kernel's, and no client in any language that uses its TCP can do better.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import resource
import shutil
import smtplib
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiosmtplib

from benchmarks import certificates
from pipeline.channels.base import Envelope, MailServer, Outcome, Receipt
from pipeline.channels.mail.dkim import Signer, keys
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


def engine(
    port: int,
    messages: int,
    connections: int,
    *,
    security: str = "plain",
    ssl_context: ssl.SSLContext | None = None,
    sign: Callable[[bytes], bytes] = lambda message: message,
) -> None:
    receipts: list[Receipt] = []
    server = MailServer("127.0.0.1", port, security=security, connections=connections)
    SmtpEngine(server, ssl_context=ssl_context).submit(
        (Envelope(key, SENDER, f"reader{key}@example.org", sign(BODY), seven_bit=True) for key in range(messages)),
        journal=_Silent(),
        record=receipts.append,
        stopping=lambda: False,
    )
    assert sum(receipt.outcome is Outcome.ACCEPTED for receipt in receipts) == messages


def signing_engine(*kinds: str) -> Client:
    """The engine with messages signed on the way, as a batch does it."""
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    made = {
        "rsa": lambda: certificates.pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        "ed25519": lambda: certificates.pem(ed25519.Ed25519PrivateKey.generate()),
    }
    found = keys("".join(made[kind]() for kind in kinds), selectors=" ".join(kinds))
    sign = Signer(found, domain="example.com", now=datetime.now(UTC)).sign
    return lambda port, messages, connections: engine(port, messages, connections, sign=sign)


def tls_engine(port: int, messages: int, connections: int) -> None:
    engine(port, messages, connections, security="tls", ssl_context=TRUSTING)


def tls_smtplib(port: int, messages: int, _connections: int) -> None:
    with smtplib.SMTP_SSL("127.0.0.1", port, context=TRUSTING) as client:
        for key in range(messages):
            client.sendmail(SENDER, [f"reader{key}@example.org"], BODY)


def bare_socket(port: int, messages: int, _connections: int) -> None:
    ask = b"MAIL FROM:<news@example.com> SIZE=60000\r\nRCPT TO:<reader@example.org>\r\nDATA\r\n"
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sendall(b"EHLO a\r\n")
        while b"SIZE" not in link.recv(4096):
            pass
        group = [BODY, b".\r\n" + ask]
        link.sendall(ask)
        _until_invited(link)
        for _ in range(messages):
            left = len(BODY) + len(group[1]) - link.sendmsg(group)
            if left:
                link.sendall(b"".join(group)[-left:])
            _until_invited(link)


def _until_invited(link: socket.socket) -> None:
    while b"354 " not in link.recv(4096):
        pass


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


PAIR = Path(tempfile.mkdtemp(prefix="dl-bench-")) / "pair.pem"
TRUSTING = certificates.loopback(PAIR)
atexit.register(shutil.rmtree, PAIR.parent)

#: name, client, the sink's options, messages near, connections near, messages far (0: not run), connections far
PLANS: tuple[tuple[str, Client, tuple[str, ...], int, int, int, int], ...] = (
    ("engine DATA", engine, (), 6000, 4, 1600, 16),
    ("engine BDAT", engine, ("--chunking",), 6000, 4, 1600, 16),
    ("engine DATA, 1 connection", engine, (), 4000, 1, 0, 0),
    ("bare socket", bare_socket, (), 4000, 1, 0, 0),
    ("engine DATA, RSA-2048", signing_engine("rsa"), (), 800, 4, 1600, 16),
    ("engine DATA, RSA-2048 + Ed25519", signing_engine("rsa", "ed25519"), (), 800, 4, 0, 0),
    ("engine DATA, TLS", tls_engine, ("--tls", str(PAIR)), 3000, 4, 0, 0),
    ("smtplib, TLS", tls_smtplib, ("--tls", str(PAIR)), 400, 1, 0, 0),
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
    ratios["smtplib, TLS / engine DATA, TLS (cpu)"] = cpu["smtplib, TLS"] / cpu["engine DATA, TLS"]
    ratios["engine DATA / bare socket (cpu)"] = cpu["engine DATA"] / cpu["bare socket"]
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
