"""Returned mail of 125 forms, each written for this project, and what may never suppress a reader."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.feedback.bounces import Bounce, Kind, judged, read

SAMPLES = Path(__file__).parents[2] / "samples" / "bounces"

#: file -> recipient, kind, reason, status, action; judged by hand from RFC 3463, 3464, 3834, 5965 and the text
EXPECTED: dict[str, list[str]] = json.loads((SAMPLES / "labels.json").read_text(encoding="utf-8"))


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


def test_no_living_reader_is_called_gone_in_any_of_the_samples() -> None:
    """The worse error is 0; the other one, a dead address written to once more, is rare."""
    counted = Counter((label[1], read(sample(name)).kind.value) for name, label in EXPECTED.items())
    assert len(EXPECTED) >= 60
    assert sum(many for (labelled, called), many in counted.items() if called == "hard" != labelled) == 0
    assert sum(many for (labelled, called), many in counted.items() if labelled == "hard" != called) == 0
    assert min(counted["hard", "hard"], counted["soft", "soft"]) >= 30


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
    began = time.process_time()
    read(b"From: mailer-daemon@x.example\nSubject: undelivered\n\n" + body)
    assert time.process_time() - began < 5


def test_mail_nested_a_thousand_deep_is_no_bounce() -> None:
    assert read(b"Content-Type: message/rfc822\n\n" * 5000).kind is Kind.NONE


def test_unknown_charset_is_read_as_far_as_it_goes() -> None:
    raw = sample("prose-full-without-code").replace(b"charset=utf-8", b"charset=x-klingon")
    assert read(raw).reason == "mailbox-full"


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: undelivered\n" * 100_000,
        b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\nContent-Type: message/delivery-status\n\nAction: failed\n\n" * 10_000,
        b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n" + b"Action: failed\n\n" * 100_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2_000)),
        b"From: mailer-daemon@x.example\nSubject: undelivered\n\n" + b"user unknown\n" * 200_000,
    ],
    ids=["headers", "parts", "groups", "nested", "longer than is read"],
)  # fmt: skip
def test_hostile_shapes_are_read_in_bounded_time(raw: bytes) -> None:
    began = time.process_time()
    assert read(raw).kind is not Kind.HARD or b"unknown" in raw
    assert time.process_time() - began < 10
