"""Returned mail of 53 forms, each written for this table, and what may never suppress a reader."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.bounces import Bounce, Kind, judged, read

SAMPLES = Path(__file__).parents[1] / "samples" / "bounces"

#: file -> recipient, kind, reason, status, action; judged by hand from RFC 3463, 3464, 3834, 5965 and the text
EXPECTED = {
    "arf-abuse": ("tilda@quay.example", "complaint", "abuse", "", ""),
    "arf-dmarc-failure": ("tilda@quay.example", "none", "auth-failure", "", ""),
    "arf-not-spam": ("tilda@quay.example", "none", "not-spam", "", ""),
    "arf-recipient-only-in-the-original": ("ulla@quay.example", "complaint", "abuse", "", ""),
    "arf-redacted": ("viggo@hot.example", "complaint", "abuse", "", ""),
    "away-exchange": ("xaver@corp.example", "auto-reply", "auto-reply", "", ""),
    "away-german": ("zeno@hafen.example", "auto-reply", "auto-reply", "", ""),
    "away-left-the-company": ("yara@corp.example", "auto-reply", "auto-reply", "", ""),
    "away-rfc3834": ("wanda@quay.example", "auto-reply", "auto-reply", "", ""),
    "dsn-auto-submitted": ("sia@quay.example", "hard", "no-domain", "5.1.2", "failed"),
    "dsn-blocklist-told-as-5-1-1": ("greta@quay.example", "soft", "policy", "5.1.1", "failed"),
    "dsn-delayed-greylist": ("jon@quay.example", "soft", "greylisted", "4.7.1", "delayed"),
    "dsn-delivered": ("dag@quay.example", "none", "delivered", "2.0.0", "delivered"),
    "dsn-disabled": ("mira@quay.example", "hard", "disabled", "5.2.1", "failed"),
    "dsn-dmarc": ("finn@quay.example", "soft", "policy", "5.7.26", "failed"),
    "dsn-exchange-access-denied": ("bo@corp.example", "soft", "policy", "5.4.1", "failed"),
    "dsn-expired": ("vera@slow.example", "soft", "unreachable", "4.4.7", "failed"),
    "dsn-forwarded": ("ole@alias.example", "hard", "no-mailbox", "5.1.1", "failed"),
    "dsn-full-told-as-no-mailbox": ("tove@quay.example", "soft", "mailbox-full", "5.1.1", "failed"),
    "dsn-full": ("nils@quay.example", "soft", "mailbox-full", "5.2.2", "failed"),
    "dsn-gave-up-greylisted": ("ada@slow.example", "soft", "greylisted", "4.2.0", "failed"),
    "dsn-loop": ("kai@quay.example", "soft", "unreachable", "5.4.6", "failed"),
    "dsn-no-mailbox-folded": ("otto@pier.example", "hard", "no-mailbox", "5.1.1", "failed"),
    "dsn-no-mailbox": ("ines@quay.example", "hard", "no-mailbox", "5.1.1", "failed"),
    "dsn-null-mx": ("lars@nomail.example", "hard", "no-domain", "5.1.10", "failed"),
    "dsn-policy-spam": ("emil@quay.example", "soft", "policy", "5.7.1", "failed"),
    "dsn-policy-that-says-user-unknown": ("asta@quay.example", "soft", "policy", "5.7.1", "failed"),
    "dsn-postfix-domain-not-found": ("uma@gone.example", "hard", "no-domain", "5.4.4", "failed"),
    "dsn-protocol": ("per@quay.example", "soft", "protocol", "5.5.2", "failed"),
    "dsn-receiving-too-fast": ("rosa@quay.example", "soft", "throttled", "5.2.1", "failed"),
    "dsn-relayed": ("eva@quay.example", "none", "relayed", "2.1.9", "relayed"),
    "dsn-sender-refused": ("una@quay.example", "soft", "address", "5.1.8", "failed"),
    "dsn-status-says-nothing": ("pia@quay.example", "hard", "no-mailbox", "5.1.1", "failed"),
    "dsn-too-big": ("liv@quay.example", "soft", "too-big", "5.3.4", "failed"),
    "dsn-two-recipients": ("lost@quay.example", "hard", "no-mailbox", "5.1.1", "failed"),
    "dsn-utf8-address": ("jürgen@köln.example", "hard", "no-mailbox", "5.1.1", "failed"),
    "exchange-prose": ("marta@corp.example", "hard", "no-mailbox", "5.1.1", "failed"),
    "exim-delay-warning": ("kurt@slow.example", "soft", "unreachable", "", "delayed"),
    "exim-unrouteable": ("jutta@nowhere.example", "hard", "no-mailbox", "", "failed"),
    "gmail-prose-rejected": ("nora@pier.example", "hard", "no-mailbox", "", "failed"),
    "person-asks": ("", "none", "", "", ""),
    "person-forwards-a-bounce": ("", "none", "", "", ""),
    "person-says-thanks": ("", "none", "", "", ""),
    "postfix-prose-full": ("oskar@pier.example", "soft", "mailbox-full", "4.2.2", "failed"),
    "prose-blocked": ("quirin@pier.example", "soft", "policy", "", "failed"),
    "prose-full-without-code": ("petra@pier.example", "soft", "mailbox-full", "", "failed"),
    "prose-german": ("ruth@hafen.example", "hard", "no-mailbox", "", "failed"),
    "prose-html-only": ("knut@pier.example", "hard", "no-mailbox", "5.1.10", "failed"),
    "prose-no-reason": ("sven@pier.example", "soft", "unknown", "", "failed"),
    "qmail-no-mailbox": ("helga@pier.example", "hard", "no-mailbox", "", "failed"),
    "qmail-unreachable": ("igor@far.example", "soft", "unreachable", "4.4.1", "failed"),
    "read-receipt": ("", "none", "", "", ""),
    "sendmail-no-user": ("lotte@pier.example", "hard", "no-mailbox", "5.1.1", "failed"),
}


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.eml").read_bytes()


def test_every_sample_has_an_expectation() -> None:
    assert {path.stem for path in SAMPLES.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_sample_is_understood(name: str) -> None:
    recipient, kind, reason, status, action = EXPECTED[name]
    assert read(sample(name)) == Bounce(
        recipient=recipient, kind=Kind(kind), reason=reason, status=status, action=action
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_line_ends_of_the_wire_change_nothing(name: str) -> None:
    raw = sample(name)
    assert read(raw.replace(b"\n", b"\r\n")) == read(raw)


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.1.1", "550 5.1.1 user unknown", "hard"),
        ("5.1.1", "", "hard"),
        ("5.1.2", "", "hard"),
        ("5.1.3", "", "hard"),
        ("5.1.6", "", "hard"),
        ("5.1.10", "", "hard"),
        ("5.2.1", "", "hard"),
        ("5.1.0", "550 5.1.0 Address rejected", "hard"),
        ("5.1.0", "550 5.1.0 refused", "soft"),
        ("5.1.7", "sender address malformed", "soft"),
        ("5.2.2", "user unknown", "soft"),
        ("5.2.3", "", "soft"),
        ("5.3.4", "", "soft"),
        ("5.4.7", "expired", "soft"),
        ("5.0.0", "", "soft"),
        ("5.0.0", "no such user here", "hard"),
        ("4.1.1", "user unknown", "soft"),
        ("5.1.1", "450 user unknown", "soft"),
        ("5.1.1", "550 5.1.1 message refused by policy", "soft"),
        ("5.1.1", "550 5.1.1 too many messages from your host", "soft"),
        ("", "550 no such user", "hard"),
        ("", "450 no such user", "soft"),
        ("", "550 requested action not taken", "soft"),
        ("", "554 your host is on a blocklist; unknown user", "soft"),
        ("", "421 server busy", "soft"),
        ("", "", "soft"),
    ],
)
def test_answer_is_hard_only_when_it_surely_is(status: str, words: str, kind: str) -> None:
    assert judged(status=status, words=words)[0] == kind


_HARD_WORDS = st.sampled_from(["user unknown", "no such mailbox", "account disabled", "domain not found", ""])


@given(level=st.sampled_from("45"), detail=st.integers(0, 999), words=_HARD_WORDS)
def test_policy_is_never_hard_whatever_it_says(level: str, detail: int, words: str) -> None:
    assert judged(status=f"{level}.7.{detail}", words=f"550 {words}")[0] is Kind.SOFT


@given(subject=st.integers(0, 7), detail=st.integers(0, 999), words=_HARD_WORDS)
def test_temporary_status_is_never_hard(subject: int, detail: int, words: str) -> None:
    assert judged(status=f"4.{subject}.{detail}", words=words)[0] is Kind.SOFT


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    assert read(raw).kind in Kind


@given(name=st.sampled_from(sorted(EXPECTED)), at=st.floats(0, 1), junk=st.binary(max_size=40))
def test_damaged_mail_is_read_without_an_error(name: str, at: float, junk: bytes) -> None:
    raw = sample(name)
    cut = int(len(raw) * at)
    assert read(raw[:cut] + junk).kind in Kind


@pytest.mark.parametrize(
    "body",
    [
        b"a" * 200_000,
        b"<" * 200_000,
        b"\n -" * 60_000,
        b"user " * 20_000,
        b"x@" * 100_000,
        b"domain of " * 20_000,
    ],
)
def test_hostile_text_is_read_in_bounded_time(body: bytes) -> None:
    began = time.perf_counter()
    read(b"From: mailer-daemon@x.example\nSubject: undelivered\n\n" + body)
    assert time.perf_counter() - began < 5


def test_mail_nested_a_thousand_deep_is_no_bounce() -> None:
    assert read(b"Content-Type: message/rfc822\n\n" * 5000).kind is Kind.NONE


def test_unknown_charset_is_read_as_far_as_it_goes() -> None:
    raw = sample("prose-full-without-code").replace(b"charset=utf-8", b"charset=x-klingon")
    assert read(raw).reason == "mailbox-full"
