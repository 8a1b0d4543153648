"""A small DNS server over UDP on loopback, with the records a test gives it."""

from __future__ import annotations

import socketserver
import threading
from collections import Counter
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

SILENT, BROKEN = "silent", "broken"  #: instead of a record: no answer at all, SERVFAIL


class NameServer(socketserver.ThreadingUDPServer):
    """`records` are (name, type) -> the values of the answer; a name without any record does not exist."""

    daemon_threads = True

    def __init__(self, records: dict[tuple[str, str], list[str] | str], *, ttl: int = 300) -> None:
        super().__init__(("127.0.0.1", 0), _Query)
        self.records, self.ttl, self.port = records, ttl, self.server_address[1]
        self.asked: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> NameServer:
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = question.name.to_text().rstrip("."), dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        values = self.records.get((name, kind), [])
        response = dns.message.make_response(query)
        if values == SILENT:
            return None
        if values == BROKEN:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif values:
            response.answer.append(dns.rrset.from_text_list(question.name, self.ttl, "IN", kind, values))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


class _Query(socketserver.BaseRequestHandler):
    server: NameServer

    def handle(self) -> None:
        data, socket = self.request
        response: Any = self.server.answer(dns.message.from_wire(data))
        if response is not None:
            socket.sendto(response.to_wire(), self.client_address)
