"""Mail that comes back: what it says of the address we wrote to. Pure; bytes in, one Bounce out, never an exception.

Understood: delivery reports (RFC 3464, 6522, 6533), complaints (RFC 5965), automatic replies (RFC 3834) and the prose
of qmail, Exim, Postfix, Sendmail, Exchange, Gmail and their kin. What lasts and what passes is judged in `reasons`.
"""

from __future__ import annotations

import re
from base64 import b64decode
from codecs import decode as decoded
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from itertools import islice

from pipeline.delivery.feedback.reasons import CODE_OF_STATUS, Kind, judged

_MOST_BYTES = 2_000_000  #: of a returned mail that are read
_MOST_GAPS = 10_000  #: empty lines: stdlib makes a message of every group and part, 40 us each
_MOST_RECIPIENTS = 100  #: of one report that are read
_MOST_TEXT = 64_000  #: characters of prose that are searched


@dataclass(frozen=True, slots=True)
class Bounce:
    """One returned mail. `recipient` is in lower case, "" where the mail does not tell.

    `status` is the RFC 3463 code, `action` the report's own word (failed, delayed, delivered, relayed, expanded),
    both "" where there is none. `reason` is a word from `reasons`, or the kind of complaint or reply.
    """

    recipient: str = ""
    kind: Kind = Kind.NONE
    reason: str = ""
    status: str = ""
    action: str = ""


def read(raw: bytes) -> Bounce:
    """What a mail to our return path or postmaster box is about. Anything that is not a bounce is Kind.NONE."""
    try:
        mail = message_from_bytes(_bounded(raw))
        return _complaint(mail) or _report(mail) or _prose(mail) or _automatic(mail) or Bounce()
    except (RecursionError, MessageError, ValueError, LookupError, TypeError, AttributeError):
        return Bounce()  # mail nested a thousand deep, or headers that stdlib's parser cannot bear


def _bounded(raw: bytes) -> bytes:
    """What is read of a mail: so many bytes, and so many parts and groups."""
    kept = raw[:_MOST_BYTES]
    gaps = islice(_GAP.finditer(kept), _MOST_GAPS, None)
    last = next(gaps, None)
    return kept[: last.start()] if last else kept


_GAP = re.compile(rb"\n\r?\n")


def _report(mail: Message) -> Bounce | None:
    """The first recipient that failed, else the first that waits, else the first of all."""
    groups = (group for group in _groups(mail, "delivery-status") if "action" in group or "status" in group)
    told, ranks = [_reported(group, mail) for group in groups], {"failed": 0, "delayed": 1}
    return min(told, key=lambda bounce: ranks.get(bounce.action, 2), default=None)


def _reported(group: Message, mail: Message) -> Bounce:
    action = _header(group, "action").lower().split(" ")[0]
    words = _header(group, "diagnostic-code").partition(";")[2] or _header(group, "diagnostic-code")
    status = _sharper(_header(group, "status"), words)
    recipient = _typed_address(group, "original-recipient") or _typed_address(group, "final-recipient")
    recipient = recipient or _first_address(_header(mail, "x-failed-recipients"))
    if action in ("delivered", "relayed", "expanded") or status.startswith("2"):
        return Bounce(recipient=recipient, reason=action or "delivered", status=status, action=action)
    kind, reason = judged(status=status, words=words or _said(mail))
    kind = Kind.SOFT if action == "delayed" else kind
    return Bounce(recipient=recipient, kind=kind, reason=reason, status=status, action=action)


def _sharper(status: str, words: str) -> str:
    """The report's status, or the remote server's own where the report's is vague (5.0.0) or too hard (5.1.1)."""
    told, quoted = CODE_OF_STATUS.search(status), CODE_OF_STATUS.search(words)
    if not (told and quoted):
        return (told or quoted or [""])[0]
    vague = told[1].endswith(".0") and told[1][0] == quoted[1][0]
    too_hard = told[1][2] in "12" and (quoted[1][0] == "4" or quoted[1][2] == "7")
    return quoted[1] if vague or too_hard else told[1]


_XTEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,5})\}")


def _typed_address(group: Message, name: str) -> str:
    """`rfc822; person@example.org` (RFC 3464 2.3.1), with or without the type; utf-8-addr-xtext too (RFC 6533 3)."""
    plain = _XTEXT.sub(lambda found: chr(int(found[1], 16)), _header(group, name))
    return _first_address(plain.rpartition(";")[2])


def _complaint(mail: Message) -> Bounce | None:
    for group in _groups(mail, "feedback-report"):
        kind_of_feedback = _header(group, "feedback-type").lower()
        recipient = _first_address(_header(group, "original-rcpt-to")) or _first_address(_original_to(mail))
        innocent = kind_of_feedback in ("not-spam", "auth-failure")  # RFC 6430, 6591: no reader complains
        kind = Kind.NONE if innocent else Kind.COMPLAINT
        return Bounce(recipient=recipient, kind=kind, reason=kind_of_feedback or "abuse")
    return None


def _original_to(mail: Message) -> str:
    """To whom the mail went that is returned in the report."""
    for part in mail.walk():
        if part.get_content_type() == "text/rfc822-headers":
            return _header(message_from_bytes(_text(part).encode()), "to")
        if "x-hmxmroriginalrecipient" in part:
            return _header(part, "x-hmxmroriginalrecipient")
        if part is not mail and "to" in part:
            return _header(part, "to")
    return ""


_DAEMON = re.compile(r"mailer-?daemon|post-?master|mail delivery|mdaemon|bounce", re.IGNORECASE)
_GIVING_UP = re.compile(
    r"undeliver|could ?n[o']t be delivered|delivery (?:has )?fail|failure notice|returned (?:mail|to sender)|mail delivery"
    r"|permanent (?:fatal )?error|failed permanently|did not reach|unable to deliver|can(?:'t|not) deliver|not delivered"
    r"|delivery status|unzustellbar|konnte nicht zugestellt|non remis|pu [eê]tre remis|no se (?:pudo|ha podido) entregar"
    r"|mancata consegna|non .{0,10}stato recapitato|недоставленн|не (?:было|может быть) (?:доставлено|отправлено)|配信(?:不能|できません)",
    re.IGNORECASE,
)
_WAITING = re.compile(r"be(?:ing)? retried|delay(?:ed)?\b|will (?:continue to|keep) try|not yet been delivered", re.IGNORECASE)  # fmt: skip
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
#: Where the returned message begins: what it says is ours, not the server's.
_OURS = re.compile(
    r"^[^\w\n]{0,80}(?:below this line is a copy|this is a copy of the message|original message|.{0,40}message headers? follow"
    r"|return-path:|received:|message-id:)", re.IGNORECASE | re.MULTILINE
)  # fmt: skip


def _prose(mail: Message) -> Bounce | None:
    """A failure told in words by a machine. A person who writes about failures is not a machine."""
    sender, failed = _header(mail, "from"), _header(mail, "x-failed-recipients")
    said = _said(mail)
    told = f"{_header(mail, 'subject')}\n{said}"
    machine = failed or _DAEMON.search(sender) or _header(mail, "return-path") == "<>"
    if not machine or not (failed or _GIVING_UP.search(told)) or _answers_itself(mail):
        return None
    recipient = _first_address(failed) or _accused(said, besides=f"{sender} {_header(mail, 'to')}")
    status = (CODE_OF_STATUS.search(said) or [""])[0]
    kind, reason = judged(status=status, words=said)
    if _WAITING.search(told) and not status.startswith("5"):
        return Bounce(recipient=recipient, kind=Kind.SOFT, reason=reason, status=status, action="delayed")
    return Bounce(recipient=recipient, kind=kind, reason=reason, status=status, action="failed")


def _accused(said: str, *, besides: str) -> str:
    """The address the prose is about: the first that is neither the machine's own nor ours."""
    for match in _ADDRESS.finditer(said):
        address = match[0].rstrip(".").lower()
        if address not in besides.lower() and not _DAEMON.search(address.partition("@")[0]):
            return address
    return ""


_AWAY = re.compile(
    r"^(?:re:\s*)?(?:out of (?:the )?office|automatic reply|auto(?:matic)?[- ]?(?:reply|response)|autoreply|away from|on vacation"
    r"|abwesen|automatische antwort|r[eé]ponse automatique|absence|respuesta autom|fuera de|risposta automatica|autosvar|自動(?:応答|返信))",
    re.IGNORECASE,
)


def _automatic(mail: Message) -> Bounce | None:
    if not _answers_itself(mail):
        return None
    return Bounce(recipient=_first_address(_header(mail, "from")), kind=Kind.AUTO_REPLY, reason="auto-reply")


def _answers_itself(mail: Message) -> bool:
    """Whether somebody's mailbox, not a mail server, replied by itself."""
    if _AWAY.search(_header(mail, "subject")) or "x-autoreply" in mail or "x-autorespond" in mail:
        return True
    automatic = _header(mail, "auto-submitted").lower().startswith("auto-")
    automatic = automatic or _header(mail, "precedence").lower() == "auto_reply"
    return automatic and not _DAEMON.search(_header(mail, "from")) and "x-failed-recipients" not in mail


def _groups(mail: Message, subtype: str) -> Iterator[Message]:
    """The header groups of the mail's machine-readable part, also of its UTF-8 kind (RFC 6533).

    Only of this mail's: a bounce that a person forwards to us is inside another message, and is a letter.
    """
    for part in _children(mail):
        if part.get_content_type() in (f"message/{subtype}", f"message/global-{subtype}"):
            for block in _encoded(part) or _children(part):
                yield from _blocks(block)


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _encoded(part: Message) -> list[Message]:
    """The groups of a report that came in base64 or quoted-printable, which stdlib takes for plain header groups."""
    how = _header(part, "content-transfer-encoding").lower()
    if how not in ("base64", "quoted-printable"):
        return []
    inner = "\n\n".join(block.as_string() for block in _children(part)).encode("utf-8", "surrogateescape")
    plain = (
        decoded(inner, "quopri") if how == "quoted-printable" else b64decode(re.sub(rb"[^\w+/=]", b"", inner) + b"==")
    )
    return [message_from_bytes(plain.lstrip())]


def _blocks(block: Message) -> Iterator[Message]:
    """stdlib cuts message/delivery-status into groups, but takes what follows the first group of others for a body."""
    for _ in range(_MOST_RECIPIENTS):
        yield block
        rest = block.get_payload(decode=True)
        if not (isinstance(rest, bytes) and rest.strip()):
            return
        block = message_from_bytes(rest.lstrip())


def _said(mail: Message) -> str:
    """The human part of a bounce, without the mail it returns."""
    for part in mail.walk():
        if part.get_content_maintype() == "text" and not part.is_multipart():
            text = _text(part)[:_MOST_TEXT]
            if part.get_content_subtype() == "html":
                text = re.sub(r"<[^<>]{0,300}>", " ", text)
            ours = _OURS.search(text)
            return text[: ours.start()] if ours and ours.start() > 0 else text
    return ""


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:  # a charset nobody knows
        return payload.decode("utf-8", "replace")


def _header(mail: Message, name: str) -> str:
    """A header on one line, decoded; raw 8-bit is read as UTF-8 (RFC 6532), where stdlib would give up."""
    raw = next((str(value) for key, value in mail.raw_items() if key.lower() == name), "")
    plain = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return " ".join(str(make_header(decode_header(plain))).split())
    except (ValueError, LookupError):
        return " ".join(plain.split())


def _first_address(value: str) -> str:
    found = _ADDRESS.search(value)
    if found:
        return found[0].lower()
    return next((address.lower() for _, address in getaddresses([value]) if "@" in address), "")
