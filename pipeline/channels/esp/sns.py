"""What Amazon's notification service signed, by its certificate (SNS: "Verifying the signatures of messages")."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

Fetch = Callable[[str], bytes]  #: an https address -> what is there; raises where nothing is

_AMAZON = r"https://sns\.[a-z0-9-]{1,30}\.amazonaws\.com(?:\.cn)?/"
_CERTIFICATE = re.compile(_AMAZON + r"[\w.-]{1,120}\.pem")
_CONFIRMS = re.compile(_AMAZON + r"\?Action=ConfirmSubscription&[\w.:%&=-]{1,1000}")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


class NotAmazon(ValueError):
    """Amazon did not sign this; the message says what is wrong with it."""


def check(message: Mapping[str, object], *, fetch: Fetch) -> None:
    """Raises NotAmazon unless the signature is Amazon's over this message."""
    address = str(message.get("SigningCertURL") or "")
    if not _CERTIFICATE.fullmatch(address):
        raise NotAmazon("the certificate is not Amazon's")
    names = _SIGNED.get(str(message.get("Type")))
    if names is None:
        raise NotAmazon("no such type of message")
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    algorithm = hashes.SHA256() if str(message.get("SignatureVersion")) == "2" else hashes.SHA1()  # noqa: S303 - theirs
    try:
        signature = base64.b64decode(str(message.get("Signature") or ""), validate=True)
        _key(address, fetch).verify(signature, text.encode(), padding.PKCS1v15(), algorithm)
    except (InvalidSignature, ValueError) as error:
        raise NotAmazon("the signature is not over this message") from error


def confirm(message: Mapping[str, object], *, fetch: Fetch) -> bool:
    """Answer a checked request to subscribe, as asked: by fetching its address. True if it was one."""
    if message.get("Type") != "SubscriptionConfirmation":
        return False
    address = str(message.get("SubscribeURL") or "")
    if not _CONFIRMS.fullmatch(address):
        raise NotAmazon("the address to confirm at is not Amazon's")
    fetch(address)
    return True


@lru_cache(maxsize=8)
def _key(address: str, fetch: Fetch) -> rsa.RSAPublicKey:
    key = x509.load_pem_x509_certificate(fetch(address)).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotAmazon("the certificate's key is not RSA")
    return key
