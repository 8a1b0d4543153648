"""An inbox to look into: takes every mail by SMTP, delivers none, and shows each in the browser."""

from __future__ import annotations

import logging
import re
import socket
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from pipeline.demo.world.serving import HOST, Answer, LocalServer, Request, json_answer, stylesheet, templates

PAGE = 50
#: Largest mail taken, in bytes; said to clients as SIZE.
LARGEST_MAIL = 10 * 1024 * 1024
#: Nothing in a mail may run, and the frame around it has no origin; links open beside it.
MAIL_CSP = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; script-src 'none'; "
    "img-src http: https: data:; style-src 'unsafe-inline'; font-src http: https:; form-action 'none'; base-uri 'none'"
)
_VIEWER_CSP = "default-src 'none'; style-src 'self'; frame-src 'self'; img-src 'self' data:; form-action 'self'"
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail in one recipient's box; the bytes lie in `path` as they came."""

    number: int
    sender: str
    recipient: str
    subject: str
    received_at: datetime
    size: int
    path: Path

    @property
    def raw(self) -> bytes:
        """Raises FileNotFoundError once the mail was crowded out."""
        return self.path.read_bytes()

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)  # noqa: S101 - what policy.default always makes
        return parsed


class Inbox:
    """Keeps the newest `keep` mails, one per recipient, in `directory` (a temporary one where none is given).

    SMTP and the viewer listen on 127.0.0.1; port 0 takes a free one.
    """

    def __init__(
        self,
        *,
        smtp_port: int = 0,
        http_port: int = 0,
        keep: int = 2000,
        directory: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._smtp_wanted, self._keep, self._clock = smtp_port, keep, clock
        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="dateline-inbox-")
        self._directory = directory or Path(self._temporary.name if self._temporary else "")
        self._mails: OrderedDict[int, Mail] = OrderedDict()
        self._total = 0
        self._arrived = threading.Condition()
        self._smtp: _Door | None = None
        self._viewer = LocalServer(answer=self._answer, port=http_port, name="inbox")
        self._pages = templates("inbox")

    @property
    def smtp_port(self) -> int:
        """Raises RuntimeError before start."""
        if self._smtp is None:
            raise RuntimeError("inbox has not been started")
        return self._smtp.port

    @property
    def url(self) -> str:
        """Where the viewer is."""
        return self._viewer.url

    def start(self) -> None:
        """Bind both ports. Raises OSError where one is taken."""
        self._directory.mkdir(parents=True, exist_ok=True)
        # aiosmtpd tells every command at INFO: four lines a mail would drown what a demo says.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self._smtp = _Door(_Keeper(self), self._smtp_wanted)
        self._smtp.start()
        self._viewer.start()

    def stop(self) -> None:
        """Release both ports; mails in a temporary directory are gone."""
        if self._smtp is not None:
            self._smtp.stop()
            self._smtp = None
        self._viewer.stop()
        with self._arrived:
            self._arrived.notify_all()
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def total(self) -> int:
        """Mails ever received, also those crowded out."""
        return self._total

    def mails(self, *, address: str = "", after: int = 0) -> list[Mail]:
        """Newest first; only recipients containing `address`, only numbers above `after`."""
        wanted = address.casefold()
        with self._arrived:
            return [
                mail
                for mail in reversed(self._mails.values())
                if mail.number > after and wanted in mail.recipient.casefold()
            ]

    def mail(self, number: int) -> Mail | None:
        with self._arrived:
            return self._mails.get(number)

    def wait(self, *, after: int, timeout_s: float) -> list[Mail]:
        """Mails numbered above `after`, oldest first, as soon as there is one; empty after `timeout_s` seconds."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._total > after, timeout_s)
        return self.mails(after=after)[::-1]

    def take(self, *, sender: str, recipients: list[str], raw: bytes) -> None:
        """File one copy per recipient and wake whoever waits."""
        subject = _subject(raw)
        with self._arrived:
            for recipient in recipients:
                self._total += 1
                path = self._directory / f"{self._total:08d}.eml"
                path.write_bytes(raw)
                mail = Mail(self._total, sender, recipient, subject, self._clock(), len(raw), path)
                self._mails[mail.number] = mail
            while len(self._mails) > self._keep:
                self._mails.popitem(last=False)[1].path.unlink(missing_ok=True)
            self._arrived.notify_all()

    # The viewer

    def _answer(self, request: Request) -> Answer:
        if request.method != "GET":
            return Answer(b"Method not allowed", 405, _TEXT, (("Allow", "GET, HEAD"),))
        if request.path == "/":
            return self._listed(request)
        if request.path == "/look.css":
            return stylesheet("inbox")
        if request.path == "/api/mails.json":
            return self._listed_for_scripts(request)
        found = re.fullmatch(r"/(?:mails/(\d+)(?:/(html|text|headers|raw))?|api/mails/(\d+)\.json)", request.path)
        mail = self.mail(int(found[1] or found[3])) if found else None
        if found is None or mail is None:
            return Answer(b"There is no such mail (any more).", 404, _TEXT)
        return json_answer(_described(mail, whole=True)) if found[3] else self._shown(mail, found[2], request)

    def _listed(self, request: Request) -> Answer:
        address, page = request.query.get("q", "").strip(), _number(request.query.get("page"), otherwise=1)
        found = self.mails(address=address)
        pages = max(1, -(-len(found) // PAGE))
        page = min(max(page, 1), pages)
        return self._page(
            "list.html",
            mails=found[(page - 1) * PAGE : page * PAGE],
            found=len(found),
            total=self._total,
            page=page,
            pages=pages,
            q=address,
        )

    def _listed_for_scripts(self, request: Request) -> Answer:
        after, limit = _number(request.query.get("after")), _number(request.query.get("limit"), otherwise=200)
        found = self.mails(address=request.query.get("q", ""), after=after)
        return json_answer({"total": self._total, "mails": [_described(mail) for mail in found[:limit]]})

    def _shown(self, mail: Mail, part: str | None, request: Request) -> Answer:
        if part == "raw":
            name = f'attachment; filename="mail-{mail.number}.eml"'
            return Answer(mail.raw, kind="message/rfc822", headers=(("Content-Disposition", name),))
        message = mail.message
        if part == "html":
            headers = (("Content-Security-Policy", MAIL_CSP), ("Referrer-Policy", "no-referrer"))
            return Answer(_opening_beside(_content(message, "html")).encode(), headers=headers)
        tab = part or ("html" if _content(message, "html") else "text")
        return self._page(
            "mail.html",
            mail=mail,
            tab=tab,
            narrow=request.query.get("width") == "phone",
            text=_content(message, "plain"),
            headers=[(name, str(value)) for name, value in message.items()],
        )

    def _page(self, name: str, **data: object) -> Answer:
        body = self._pages.get_template(name).render(**data).encode()
        return Answer(body, headers=(("Content-Security-Policy", _VIEWER_CSP), ("Cache-Control", "no-store")))


class _Keeper:
    """What aiosmtpd calls once a mail is whole."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        content = envelope.original_content or b""
        self._inbox.take(sender=envelope.mail_from or "", recipients=list(envelope.rcpt_tos), raw=content)
        return "250 2.0.0 Kept, not delivered"


class _Reception(SMTP):
    """aiosmtpd with room to read: 500 mails of 64 KB over four connections took 3.4 s, and take 1.5 s so."""

    # The limit is also the buffer: with the 1001 octets of RFC 5321 asyncio pauses the socket every 2 KB.
    line_length_limit = 1 << 20


class _Door(Controller):
    """aiosmtpd on loopback, on a socket bound beforehand: it cannot tell the port it was given for 0."""

    def __init__(self, handler: _Keeper, port: int) -> None:
        self._listener = socket.create_server((HOST, port), backlog=256)
        super().__init__(handler, hostname=HOST, port=self._listener.getsockname()[1])

    def factory(self) -> SMTP:
        return SMTP(self.handler, hostname="inbox.localhost", data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._listener)


def _subject(raw: bytes) -> str:
    """The Subject, decoded; parses the head only."""
    head = raw[:65536].split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n"
    return str(message_from_bytes(head, policy=policy.default).get("Subject", ""))


def _content(message: EmailMessage, kind: str) -> str:
    """The text of the first part of type text/<kind>, or nothing."""
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def _opening_beside(html: str) -> str:
    """Links leave the frame: `<base target>` has no address, so it changes where pages open and nothing else."""
    base = '<base target="_blank">'
    changed, count = re.subn(r"(<head[^>]*>)", rf"\1{base}", html, count=1, flags=re.IGNORECASE)
    return changed if count else base + html


def _described(mail: Mail, *, whole: bool = False) -> dict[str, object]:
    told: dict[str, object] = {
        "id": mail.number,
        "from": mail.sender,
        "to": mail.recipient,
        "subject": mail.subject,
        "received_at": mail.received_at.isoformat(),
        "size": mail.size,
    }
    if whole:
        message = mail.message
        told["headers"] = [[name, str(value)] for name, value in message.items()]
        told["text"], told["html"] = _content(message, "plain"), _content(message, "html")
    return told


def _number(text: str | None, *, otherwise: int = 0) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else otherwise
