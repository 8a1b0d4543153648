"""A second factor at sign-in: time-based codes (RFC 6238: SHA-1, six digits, 30 seconds) and codes for a lost phone.

The secret is sealed and bound to its row; a code is taken once, from the step before, of, or after the moment given.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.db import transaction

from pipeline.kernel.config import config
from pipeline.kernel.secrets import seal, unseal
from pipeline.staff import journal
from pipeline.staff.models import User

ISSUER = "Dateline"
STEP_S = 30
DIGITS = 6
DRIFT = (0, -1, 1)  #: steps a phone's clock may be wrong by
RECOVERY_CODES = 8


def begin(user: User) -> str:
    """Give the account a new, unconfirmed secret; the secret in base32. One that is confirmed is left alone."""
    secret = secrets.token_bytes(20)
    sealed = seal({"totp": base64.b32encode(secret).decode()}, secrets=_secrets(), bound_to=_bound(user))
    User.objects.filter(id=user.id, totp_confirmed_at=None).update(totp=sealed, totp_step=0)
    user.refresh_from_db(fields=["totp", "totp_step", "totp_confirmed_at"])
    return base64.b32encode(secret).decode()


def address_of(user: User, secret: str) -> str:
    """The `otpauth:` address authenticator programs read (Key Uri Format)."""
    asked = urlencode({"secret": secret, "issuer": ISSUER, "digits": DIGITS, "period": STEP_S})
    return f"otpauth://totp/{quote(ISSUER)}:{quote(user.email)}?{asked}"


def secret_of(user: User) -> str:
    """The secret in base32, "" where there is none. Raises kernel.secrets.Sealed."""
    return unseal(user.totp, secrets=_secrets(), bound_to=_bound(user)).get("totp", "") if user.totp else ""


@transaction.atomic
def confirm(user: User, *, code: str, now: datetime) -> list[str]:
    """Switch the second factor on if `code` proves the phone has it; the recovery codes, shown once. [] if it does not."""
    if user.totp_confirmed_at is not None or not _spend(user, code, now=now):
        return []
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    User.objects.filter(id=user.id).update(
        totp_confirmed_at=now, recovery=[_hash(code, secret=config().secret_key) for code in codes]
    )
    journal.note(verb="second factor on", subject="user", subject_id=user.id, actor=user, now=now)
    user.refresh_from_db()
    return codes


@transaction.atomic
def passes(user: User, *, code: str, now: datetime) -> bool:
    """Whether a code opens the door; a code, of the phone or from the paper, opens it once."""
    return _spend(user, code, now=now) or _spend_recovery(user, code, now=now)


@transaction.atomic
def end(user: User, *, actor: User, now: datetime, reason: str = "") -> bool:
    """Take the second factor away: by its owner, or by an administrator for a lost phone."""
    ended = User.objects.filter(id=user.id).exclude(totp="").update(
        totp="", totp_confirmed_at=None, totp_step=0, recovery=[]
    )  # fmt: skip
    if ended:
        journal.note(verb="second factor off", subject="user", subject_id=user.id, actor=actor, now=now, reason=reason)
    return bool(ended)


def _spend(user: User, code: str, *, now: datetime) -> bool:
    step = _step_of(user, code, now=now)
    return step is not None and bool(User.objects.filter(id=user.id, totp_step__lt=step).update(totp_step=step))


def _step_of(user: User, code: str, *, now: datetime) -> int | None:
    """Which step's code this is, the nearest first."""
    given, secret = "".join(code.split()), secret_of(user)
    if not secret or len(given) != DIGITS or not (given.isascii() and given.isdigit()):
        return None
    made = TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_S)  # noqa: S303 - RFC 6238's default, as phones have it
    at = int(now.timestamp())
    for drift in DRIFT:
        moment = at + drift * STEP_S
        if hmac.compare_digest(made.generate(moment), given.encode()):
            return moment // STEP_S
    return None


def _spend_recovery(user: User, code: str, *, now: datetime) -> bool:
    locked = User.objects.select_for_update().get(id=user.id)
    known = {_hash(code, secret=secret) for secret in _secrets()} & set(locked.recovery)
    if not known:
        return False
    left = [one for one in locked.recovery if one not in known]
    User.objects.filter(id=user.id).update(recovery=left)
    journal.note(
        verb="recovery code used", subject="user", subject_id=user.id, actor=user, now=now, left=len(left)
    )  # fmt: skip
    return True


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[place : place + 4] for place in range(0, 16, 4))


def _hash(code: str, *, secret: str) -> str:
    said = "".join(code.split()).replace("-", "").lower()
    return hashlib.blake2b(said.encode(), key=secret.encode()[:64], digest_size=16).hexdigest()


def _bound(user: User) -> str:
    return f"user {user.id}"


def _secrets() -> list[str]:
    return config().secrets
