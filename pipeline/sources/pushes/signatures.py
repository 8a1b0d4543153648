"""Who may say "look now": the three signatures that senders put on what they send, over the bytes as they came.

Every comparison is constant in time. A signature that is odd in any way is a plain no; nothing here raises.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

WINDOW_S = 300  #: a signature older than this, or from further ahead, is void
LONGEST_HEADER = 1000
#: WebSub names the digest itself; sha1 is left out on purpose (the watching reference 5).
HUB_DIGESTS = ("sha256", "sha384", "sha512")


class Check(StrEnum):
    """What became of a signature."""

    GOOD = "good"
    MISSING = "missing"
    BAD = "bad"
    STALE = "stale"  #: right, but made too long ago or too far ahead


@dataclass(frozen=True, slots=True)
class Checked:
    """`mac` is the signature as we compute it: the same for every spelling of one request, so replays share it."""

    check: Check
    mac: str = ""


def dateline_header(*, secret: str, body: bytes, at: datetime) -> str:
    """The value of `Dateline-Signature` for a body sent at an instant."""
    stamp = str(int(at.timestamp()))
    return f"t={stamp}, v1={_hex(secret, stamp.encode() + b'.' + body)}"


def check_dateline(header: str, *, secret: str, body: bytes, now: datetime) -> Checked:
    """`t=<unix seconds>, v1=<hex HMAC-SHA256 of "t.body">`; several `v1` may be given, for a secret being changed."""
    fields = _fields(header)
    [stamp] = fields.get("t", [""])[:1]
    return _checked(fields.get("v1", []), stamp, secret, stamp.encode() + b"." + body, now=now, per_s=1)


def check_ghost(header: str, *, secret: str, body: bytes, now: datetime) -> Checked:
    """`sha256=<hex HMAC-SHA256 of body + t>, t=<unix milliseconds>`, as Ghost's webhook-trigger.js makes it.

    Many samples in public sign the body alone; that may be replayed for ever, and is refused.
    """
    fields = _fields(header)
    [stamp] = fields.get("t", [""])[:1]
    return _checked(fields.get("sha256", []), stamp, secret, body + stamp.encode(), now=now, per_s=1000)


def check_hub(header: str, *, secret: str, body: bytes) -> bool:
    """`X-Hub-Signature: <digest>=<hex HMAC of the body>` (WebSub 7.1.2). It has no time, so it cannot be stale."""
    name, _, given = header.strip().partition("=")
    digest = name.strip().lower()
    if len(header) > LONGEST_HEADER or digest not in HUB_DIGESTS:
        return False
    return _equal(_hex(secret, body, digest=digest), given)


def hub_header(*, secret: str, body: bytes, digest: str = "sha256") -> str:
    """The value of `X-Hub-Signature` as a hub makes it."""
    return f"{digest}={_hex(secret, body, digest=digest)}"


def ghost_header(*, secret: str, body: bytes, at: datetime) -> str:
    """The value of `X-Ghost-Signature` as Ghost makes it."""
    stamp = str(int(at.timestamp() * 1000))
    return f"sha256={_hex(secret, body + stamp.encode())}, t={stamp}"


def _checked(given: list[str], stamp: str, secret: str, signed: bytes, *, now: datetime, per_s: int) -> Checked:
    if not given and not stamp:
        return Checked(Check.MISSING)
    if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 16:
        return Checked(Check.BAD)
    mac = _hex(secret, signed)
    if not sum(_equal(mac, one) for one in given):  # every one is compared
        return Checked(Check.BAD)
    age_s = now.timestamp() - int(stamp) / per_s
    return Checked(Check.GOOD if abs(age_s) <= WINDOW_S else Check.STALE, mac)


def _fields(header: str) -> dict[str, list[str]]:
    if len(header) > LONGEST_HEADER:
        return {}
    fields: dict[str, list[str]] = {}
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        fields.setdefault(name.strip().lower(), []).append(value.strip())
    return fields


def _hex(secret: str, signed: bytes, *, digest: str = "sha256") -> str:
    return hmac.new(secret.encode(), signed, getattr(hashlib, digest)).hexdigest()


def _equal(ours: str, given: str) -> bool:
    return hmac.compare_digest(ours.encode(), given.strip().lower().encode("utf-8", "replace"))
