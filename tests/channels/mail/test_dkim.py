"""Signatures, judged by dkimpy: it reads every variant, and none that was touched."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.channels.mail.dkim import SIGNED, Key, Signer, UnusableKey, keys

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()
MESSAGE = (
    b'From: "The Dispatch"\r\n <news@news.example>\r\nTo: reader@example.org\r\nSubject: =?utf-8?b?w6k=?=\r\n'
    b" =?utf-8?b?w6k=?=\r\nDate: Sun, 19 Apr 2026 04:12:00 +0000\r\nMessage-ID: <ab@news.example>\r\n"
    b'List-ID: "Morning"\r\n <morning.news.example>\r\nList-Unsubscribe: <https://news.example/u/abc>,\r\n'
    b" <mailto:leave+abc@news.example>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: bulk\r\n"
    b"Feedback-ID: morning:digest:dateline\r\nAuto-Submitted: auto-generated\r\nContent-Language: en\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nWhat the council decided=2E\r\n\r\nAnd why\r\n"
)


def pem(private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def record(name: bytes, **_: object) -> bytes:
    """What DNS says: s1 is the RSA key, s2 the Ed25519 one."""
    form, raw = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.Raw
    shown = {
        b"s1._domainkey.news.example.": (b"rsa", RSA.public_key().public_bytes(serialization.Encoding.DER, form)),
        b"s2._domainkey.news.example.": (b"ed25519", ED.public_key().public_bytes(serialization.Encoding.Raw, raw)),
    }
    kind, key = shown[name]
    return b"v=DKIM1; k=%b; p=%b" % (kind, email.base64mime.body_encode(key, maxlinelen=10_000).strip().encode())


def signer(text: str = pem(RSA) + pem(ED), selectors: str = "s1 s2") -> Signer:
    return Signer(keys(text, selectors=selectors), domain="news.example", now=NOW)


def verified(message: bytes, *, signature: int = 0) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(idx=signature, dnsfunc=record))
    except dkim.ValidationError:
        return False


@pytest.mark.parametrize(
    ("text", "selectors", "count"), [(pem(RSA), "s1", 1), (pem(ED), "s2", 1), (pem(RSA) + "\n" + pem(ED), "s1 s2", 2)]
)
def test_every_variant_is_read_by_another_implementation(text: str, selectors: str, count: int) -> None:
    signed = signer(text, selectors).sign(MESSAGE)
    assert signed.count(b"DKIM-Signature: ") == count
    assert all(verified(signed, signature=n) for n in range(count))
    assert signed.endswith(MESSAGE)
    assert max(map(len, signed.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"reader@", b"another@"), (b"u/abc", b"u/abd"), (b"One-Click", b"Two-Clicks"), (b"council", b"Council"),
        (b"morning:digest", b"evening:digest"), (b"04:12:00", b"04:13:00"), (b"text/plain", b"text/html"),
        (b"To: r", b"Subject: Buy\r\nTo: r"), (b"To: r", b"From: evil@x.example\r\nTo: r"), (b"To: r", b"To: x@y.example\r\nTo: r"),
    ],
)  # fmt: skip
def test_nothing_that_matters_can_be_changed_or_added(old: bytes, new: bytes) -> None:
    signed = signer().sign(MESSAGE)
    changed = signed.replace(old, new, 1)
    assert changed != signed
    assert not verified(changed)


def test_what_relays_do_to_a_message_does_no_harm() -> None:
    signed = signer().sign(MESSAGE)
    folded = (
        signed.replace(b"Precedence: bulk\r\n", b"")
        .replace(b"To: reader", b"To:\r\n  reader")
        .replace(b"Date:", b"DATE:")
    )
    assert verified(b"Received: from here\r\n by there\r\n" + folded)


WORDS = st.lists(st.text("abcdefg=.,?", min_size=1, max_size=12), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(subject=WORDS, lines=st.lists(WORDS, min_size=1, max_size=6), folds=st.sampled_from([b" ", b"\r\n ", b"\r\n\t"]))
def test_whatever_is_folded_however_the_signature_holds(
    subject: list[str], lines: list[list[str]], folds: bytes
) -> None:
    body = b"\r\n".join(" ".join(line).encode() for line in lines) + b"\r\n"
    head = b"From: a@news.example\r\nSubject: %b\r\nTo: b@example.org\r\n" % folds.join(w.encode() for w in subject)
    assert verified(signer(pem(ED), "s2").sign(head + b"\r\n" + body))


def test_the_lists_of_names_that_must_be_covered_are() -> None:
    signed = signer().sign(MESSAGE)
    covered = re.sub(rb"\s", b"", re.search(rb"h=([^;]+);", signed)[1]).decode().split(":")  # type: ignore[index]
    assert tuple(covered) == SIGNED
    assert {"list-unsubscribe", "list-unsubscribe-post", "list-archive", "feedback-id", "message-id", "date"} <= set(
        covered
    )
    assert [covered.count(name) for name in ("from", "to", "subject")] == [2, 2, 2]
    assert b" l=" not in signed.partition(b"From:")[0]


@pytest.mark.parametrize("message", [b"From: a\r\n", b"From: a\r\n\r\nno end", b"From: a\r\n\r\ntwo ends\r\n\r\n"])
def test_a_body_that_is_not_its_own_canonical_form_is_not_signed(message: bytes) -> None:
    with pytest.raises(ValueError, match="message"):
        signer().sign(message)


@pytest.mark.parametrize(
    ("text", "selectors", "why"),
    [
        ("", "s1", "0 private keys"), (pem(RSA), "", "0 selectors"), (pem(RSA), "s1 s2", "2 selectors"),
        (pem(RSA).replace("MII", "QQQ"), "s1", "cannot be read"), (pem(RSA), "s1;x", "not a selector"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "s1", "neither RSA"),
    ],
)  # fmt: skip
def test_settings_that_cannot_sign_say_why(text: str, selectors: str, why: str) -> None:
    with pytest.raises(UnusableKey, match=re.escape(why)):
        keys(text, selectors=selectors)


def test_a_domain_that_could_end_its_tag_is_refused() -> None:
    with pytest.raises(UnusableKey):
        Signer([Key("s1", "rsa-sha256", lambda digest: digest)], domain="a; d=b", now=NOW)
