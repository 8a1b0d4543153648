"""Many mail servers on one port, each at a loopback address of its own, and the DNS that leads to them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from pipeline.channels.base import RateLimited
from pipeline.channels.mail.direct import Direct
from pipeline.channels.mail.mx import Ways
from tests.factories.mail_server import FAST, Book, Rule, Scripted, letter
from tests.factories.name_server import NameServer


class Town:
    """Servers on one port at loopback addresses of their own, and the DNS that leads to them."""

    def __init__(self, rules: dict[str, dict[str, Rule]], *, dead: tuple[str, ...] = (), **options: Any) -> None:
        self.servers: dict[str, Scripted] = {}
        self.records: dict[tuple[str, str], list[str] | str] = {("null.example", "MX"): ["0 ."]}
        self.stack, self.port = ExitStack(), 0
        for number, (host, rule) in enumerate(rules.items(), start=10):
            address = f"127.0.0.{number}"
            self.records[host, "A"] = [address]
            if host not in dead:
                server = self.stack.enter_context(Scripted(("PIPELINING",), rule, at=(address, self.port), **options))
                self.servers[host], self.port = server, server.port

    def lead(self, domain: str, *hosts: str) -> None:
        self.records[domain, "MX"] = [f"{n} {host}." for n, host in enumerate(hosts)]

    def __enter__(self) -> NameServer:
        return self.stack.enter_context(NameServer(self.records))

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def sent(
        self, recipients: list[str], *, book: Book | None = None, stopping: Any = lambda: False, **options: Any
    ) -> Book:
        book = book or Book()
        with self as names:
            ways = Ways(nameservers=["127.0.0.1"], dns_port=names.port, lifetime_s=1, private=True)
            self.channel = Direct(ways, client_name="localhost", port=self.port, timeouts=FAST, **options)
            envelopes = [letter(key, recipient=address) for key, address in enumerate(recipients, start=1)]
            try:
                self.channel.submit(book.source(envelopes), journal=book, record=book.record, stopping=stopping)
            except RateLimited as error:
                book.error = error
        book.check([body for server in self.servers.values() for body in server.stored])
        return book
