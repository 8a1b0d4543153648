"""Signing a 60 KB message: our signer against dkimpy, in one run, and each of our signatures verified by dkimpy.

python -m benchmarks.dkim prints JSON. Promise: at most 400 us a message for RSA-2048 with relaxed/relaxed. "RSA alone"
is what OpenSSL takes for one signature: the rest is ours.
"""

from __future__ import annotations

import base64
import hashlib
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from benchmarks import certificates
from pipeline.channels.mail.dkim import SIGNED, Signer, keys

LINE = b'<td style=3D"padding:0 12px">What the council decided on Tuesday night, and why</td>\r\n'
HEAD = (
    b"From: The Dispatch <news@example.com>\r\nTo: reader@example.org\r\nSubject: What the council decided\r\n"
    b"Date: Sun, 19 Apr 2026 04:12:00 +0000\r\nMessage-ID: <0123456789abcdef@example.com>\r\n"
    b"List-ID: Morning\r\n <morning.example.com>\r\nList-Unsubscribe: <https://news.example.com/u/abcdefghijklmnop>,\r\n"
    b" <mailto:leave+abcdefghijklmnop@news.example.com>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Feedback-ID: morning:digest:dateline\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
)
MESSAGE = HEAD + LINE * (60_000 // len(LINE))
RSA, ED = rsa.generate_private_key(public_exponent=65537, key_size=2048), ed25519.Ed25519PrivateKey.generate()


def signer(text: str, selectors: str) -> Signer:
    return Signer(keys(text, selectors=selectors), domain="example.com", now=datetime.now(UTC))


def taken(work: Callable[[], Any], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times * 1e6


def _dkimpy() -> bytes:
    include = [name.encode() for name in dict.fromkeys(SIGNED)]
    return dkim.sign(  # type: ignore[no-any-return]
        MESSAGE,
        b"rsa",
        b"example.com",
        certificates.pem(RSA).encode(),
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=include,
    )


def verified(message: bytes, count: int) -> bool:
    """By dkimpy, which shares no line with our signer."""
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    shown = {
        b"rsa": RSA.public_key().public_bytes(serialization.Encoding.DER, spki),
        b"ed25519": ED.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw),
    }

    def record(name: bytes, **_: object) -> bytes:
        kind = name.partition(b".")[0]
        return b"v=DKIM1; k=%b; p=%b" % (kind, base64.b64encode(shown[kind]))

    return all(dkim.DKIM(message).verify(idx=n, dnsfunc=record) for n in range(count))


def run(*, repeats: int = 5) -> dict[str, object]:
    one, second = certificates.pem(RSA), certificates.pem(ED)
    ours = {
        "RSA-2048": signer(one, "rsa"),
        "Ed25519": signer(second, "ed25519"),
        "both": signer(one + second, "rsa ed25519"),
    }
    digest = hashlib.sha256(MESSAGE).digest()
    alone = keys(one, selectors="rsa")[0].sign
    works: dict[str, tuple[Callable[[], Any], int]] = {
        **{name: ((lambda made=made: made.sign(MESSAGE)), 200) for name, made in ours.items()},
        "RSA alone": (lambda: alone(digest), 200),
        "dkimpy RSA-2048": (_dkimpy, 10),
    }
    assert all(verified(made.sign(MESSAGE), 2 if name == "both" else 1) for name, made in ours.items())
    figures: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, (work, times) in works.items():
            figures.setdefault(name, []).append(taken(work, times))
    medians = {name: statistics.median(values) for name, values in figures.items()}
    return {
        "name": f"sign a message of {len(MESSAGE)} octets",
        "rows": [{"what": name, "cpu_us_per_message": round(value, 1)} for name, value in medians.items()],
        "ratios": {
            "dkimpy / ours": round(medians["dkimpy RSA-2048"] / medians["RSA-2048"], 1),
            "ours / RSA alone": round(medians["RSA-2048"] / medians["RSA alone"], 2),
        },
        "promise": "<= 400 us for RSA-2048",
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
