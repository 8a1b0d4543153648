"""What a provider's answer, or its absence, means for one message and for those behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import requests
from anymail.exceptions import AnymailError
from botocore import exceptions as boto
from urllib3.exceptions import NewConnectionError

SAID = 300


class Case(StrEnum):
    """What is known after a request that did not simply succeed."""

    REFUSED = "refused"  #: this message will not be taken; the next may be
    BUSY = "busy"  #: provably not placed; the provider asks for patience
    AWAY = "away"  #: provably not placed; the provider could not be reached, or says it is out of order
    BARRED = "barred"  #: provably not placed; our keys or our account are not accepted
    UNKNOWN = "unknown"  #: the request left us and its answer never came, or says nothing


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wait_s` is what a provider asked for, None where it did not say."""

    case: Case
    code: int = 0
    said: str = ""
    wait_s: float | None = None


_NEVER_LEFT = (
    requests.exceptions.ConnectTimeout,
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.NoCredentialsError,
    boto.ParamValidationError,
)
_BUSY = {"TooManyRequestsException", "Throttling", "ThrottlingException", "LimitExceededException"}
_BARRED = {
    "AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException", "NotFoundException",
    "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AccessDeniedException",
    "ExpiredTokenException", "InvalidSignatureException",
}  # fmt: skip


def verdict_of(error: Exception) -> Verdict:
    """From what anymail raised. What is not provably unplaced is unknown."""
    causes = [error, *_causes(error)]
    said = _said(error)
    if any(isinstance(cause, _NEVER_LEFT) or _refused_connection(cause) for cause in causes):
        return Verdict(Case.AWAY, said=said)
    for cause in causes:
        if isinstance(cause, boto.ClientError):
            return _of_amazon(cause, said)
    response = getattr(error, "response", None)
    if isinstance(response, requests.Response):
        return _of_http(response)
    if isinstance(error, AnymailError) and getattr(error, "payload", None) is None and not error.__cause__:
        return Verdict(Case.REFUSED, said=said)  # anymail would not even put the request together
    return Verdict(Case.UNKNOWN, said=said)


def _causes(error: BaseException) -> list[BaseException]:
    """What lies behind an error, nearest first."""
    found: list[BaseException] = []
    behind = error.__cause__ or error.__context__
    while behind is not None and len(found) < 10:
        found.append(behind)
        behind = behind.__cause__ or behind.__context__
    return found


def _refused_connection(error: BaseException) -> bool:
    """requests calls a refused and a cut connection by one name; urllib3's reason tells them apart."""
    told = error.args[0] if isinstance(error, requests.exceptions.ConnectionError) and error.args else None
    reason = getattr(told, "reason", None)
    return isinstance(reason, NewConnectionError) or "CERTIFICATE_VERIFY_FAILED" in str(reason)


def _of_http(response: requests.Response) -> Verdict:
    code, said = response.status_code, f"HTTP {response.status_code}: {response.text}"[:SAID]
    if code == 429:
        return Verdict(Case.BUSY, code, said, _seconds(response.headers.get("Retry-After")))
    if code in (401, 402, 403, 404):
        return Verdict(Case.BARRED, code, said)
    if 400 <= code < 500:
        return Verdict(Case.REFUSED, code, said)
    if code == 503:
        return Verdict(Case.AWAY, code, said, _seconds(response.headers.get("Retry-After")))
    return Verdict(Case.UNKNOWN, code, said)  # 2xx that cannot be read, 500, a gateway's 502 or 504: it may be placed


def _of_amazon(error: Any, said: str) -> Verdict:
    name = str(error.response.get("Error", {}).get("Code", ""))
    code = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
    if name in _BUSY or code == 429:
        return Verdict(Case.BUSY, code, said)
    if name in _BARRED or code in (401, 403, 404):
        return Verdict(Case.BARRED, code, said)
    if name == "MessageRejected" and "not verified" in said:  # the account may write to nobody yet, not to this reader
        return Verdict(Case.BARRED, code, said)
    if code == 503:
        return Verdict(Case.AWAY, code, said)
    return Verdict(Case.REFUSED if 400 <= code < 500 else Case.UNKNOWN, code, said)


def _seconds(header: str | None) -> float | None:
    return min(float(header), 3600.0) if header and header.isascii() and header.isdigit() else None


def _said(error: Exception) -> str:
    cause = error.__cause__ or error
    return " ".join(f"{type(cause).__name__}: {cause}".split())[:SAID]
