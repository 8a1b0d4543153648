"""Five e-mail service providers on loopback: they take what the real ones take, and misbehave as told."""

from __future__ import annotations

import base64
import email
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

DROP_BEFORE, DROP_AFTER, STALL_AFTER, NONSENSE = "drop before", "drop after", "stall after", "nonsense"
Rule = Callable[[int], int | str | None]
SETTINGS: dict[str, dict[str, str]] = {
    "ses": {"access_key": "AKIAEXAMPLE", "secret_key": "s", "region": "eu-west-1"},
    "mailgun": {"api_key": "k", "sender_domain": "news.example"},
    "postmark": {"api_key": "k"},
    "sendgrid": {"api_key": "k"},
    "brevo": {"api_key": "k"},
}
PATHS = {
    "ses": "/v2/email/outbound-emails",
    "mailgun": "/news.example/messages",
    "postmark": "/email",
    "sendgrid": "/mail/send",
    "brevo": "/smtp/email",
}


class ProviderServer(ThreadingHTTPServer):
    """`rule` says by the number of a request (from 1) how it ends: an HTTP status, a way to fail, or None for success.

    `stored` are the mails it took responsibility for, whether or not it said so.
    """

    daemon_threads = True

    def __init__(self, name: str, rule: Rule = lambda _n: None) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self.name, self.rule = name, rule
        self.stored: list[dict[str, Any]] = []
        self.requests = 0
        self.paths: set[str] = set()
        self.lock, self.over = threading.Lock(), threading.Event()

    @property
    def settings(self) -> dict[str, str]:
        return SETTINGS[self.name] | {"api_url": f"http://127.0.0.1:{self.server_address[1]}"}

    def __enter__(self) -> ProviderServer:
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Connections are cut on purpose here."""


class _Visit(BaseHTTPRequestHandler):
    server: ProviderServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.requests += 1
            self.server.paths.add(self.path)
            ends = self.server.rule(self.server.requests)
        if ends == DROP_BEFORE:
            self._cut()
        elif isinstance(ends, int):
            self._say(ends, json.dumps({"message": "no", "ErrorCode": 300, "Message": "no", "__type": f"E{ends}"}))
        else:
            self._keep(body, ends)

    def _keep(self, body: bytes, ends: str | None) -> None:
        mail = READ[self.server.name](body)
        number = f"{self.server.name}-{mail['delivery']}"
        with self.server.lock:
            self.server.stored.append(mail)
        if ends == STALL_AFTER:
            self.server.over.wait(10)
        if ends in (DROP_AFTER, STALL_AFTER):
            self._cut()
        elif ends == NONSENSE:
            self._say(200, "<html>gateway</html>")
        else:
            self._say(*ANSWER[self.server.name](number, mail["to"]))

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(2)

    def _say(self, status: int, body: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status == 429:
            self.send_header("Retry-After", "7")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _mail(to: str, subject: str, text: str, html: str, headers: dict[str, str], delivery: Any) -> dict[str, Any]:
    lowered = {name.lower(): value for name, value in headers.items()}
    return {"to": to, "subject": subject, "text": text, "html": html, "headers": lowered, "delivery": str(delivery), "at": time.monotonic()}  # fmt: skip


def _ses(body: bytes) -> dict[str, Any]:
    said = json.loads(body)
    raw = base64.b64decode(said["Content"]["Raw"]["Data"])
    mail: EmailMessage = email.message_from_bytes(raw, policy=policy.default)
    plain, markup = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and markup is not None
    return _mail(
        said["Destination"]["ToAddresses"][0], mail["subject"], plain.get_content(), markup.get_content(),
        {name: str(value) for name, value in mail.items()}, json.loads(mail["X-Metadata"])["delivery"],
    )  # fmt: skip


def _mailgun(body: bytes) -> dict[str, Any]:
    said = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    headers = {name.removeprefix("h:"): value for name, value in said.items() if name.startswith("h:")}
    return _mail(said["to"], said["subject"], said["text"], said["html"], headers, said["v:delivery"])


def _postmark(body: bytes) -> dict[str, Any]:
    said = json.loads(body)
    headers = {one["Name"]: one["Value"] for one in said["Headers"]}
    return _mail(said["To"], said["Subject"], said["TextBody"], said["HtmlBody"], headers, said["Metadata"]["delivery"])


def _sendgrid(body: bytes) -> dict[str, Any]:
    said = json.loads(body)
    [person] = said["personalizations"]
    parts = {part["type"]: part["value"] for part in said["content"]}
    headers = {**said.get("headers", {}), **person.get("headers", {})}
    return _mail(
        person["to"][0]["email"], said.get("subject") or person["subject"], parts["text/plain"], parts["text/html"],
        headers, said["custom_args"]["delivery"],
    )  # fmt: skip


def _brevo(body: bytes) -> dict[str, Any]:
    said = json.loads(body)
    headers = said["headers"]
    return _mail(
        said["to"][0]["email"], said["subject"], said["textContent"], said["htmlContent"], headers,
        json.loads(headers["X-Mailin-custom"])["delivery"],
    )  # fmt: skip


READ = {"ses": _ses, "mailgun": _mailgun, "postmark": _postmark, "sendgrid": _sendgrid, "brevo": _brevo}
ANSWER: dict[str, Callable[[str, str], tuple[int, str]]] = {
    "ses": lambda number, _to: (200, json.dumps({"MessageId": number})),
    "mailgun": lambda number, _to: (200, json.dumps({"id": number, "message": "Queued. Thank you."})),
    "postmark": lambda number, to: (
        200, json.dumps({"To": to, "MessageID": number, "ErrorCode": 0, "Message": "OK", "SubmittedAt": "2026-11-16"})
    ),
    "sendgrid": lambda _number, _to: (202, ""),
    "brevo": lambda number, _to: (201, json.dumps({"messageId": number})),
}  # fmt: skip
