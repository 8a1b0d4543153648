"""Which copy a returned mail is about, and who is not believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.feedback.returned import FORGED, event_of
from pipeline.delivery.message.mail import envelope_sender
from pipeline.engagement.tokens import Kind, Minter
from pipeline.kernel.signing import Keyring

SECRET, DOMAIN, NOW = "s" * 60, "bounce.dispatch.example", datetime(2026, 11, 16, 7, tzinfo=UTC)
ORIGIN, ORDINAL = 0xABC123, 42
PATH = envelope_sender(secret=SECRET, origin=ORIGIN, ordinal=ORDINAL, domain=DOMAIN)
TOKEN = Minter(Keyring.from_secret(SECRET), kind=Kind.LEAVE, origin=ORIGIN)(ORDINAL, 0)
CLICK = Minter(Keyring.from_secret(SECRET), kind=Kind.CLICK, origin=ORIGIN)(ORDINAL, 0)


def mail(*headers: str, copy: str = "", status: str = "5.1.1") -> bytes:
    head = "\n".join(headers)
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.quay.example
{head}
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=cut

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.quay.example

Final-Recipient: rfc822; tove@quay.example
Action: failed
Status: {status}

--cut
Content-Type: text/rfc822-headers

From: brief@dispatch.example
{copy}

--cut--
""".encode()


def told(raw: bytes):  # type: ignore[no-untyped-def]
    ring = Keyring.from_secret(SECRET)
    return event_of(raw, at=NOW, secrets=[SECRET], keyring=ring, bounce_domain=DOMAIN)


@pytest.mark.parametrize(
    "headers",
    [
        (f"To: {PATH}",),
        (f"To: <{PATH}>",),
        (f"To: {PATH.upper()}",),
        (f"Delivered-To: {PATH}", "To: undisclosed-recipients:;"),
        (f"X-Original-To: {PATH}", "Delivered-To: bounces@mail.example", "To: bounces@mail.example"),
        (f"Envelope-To: {PATH}", "To: somebody@else.example"),
    ],
)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_a_return_path_names_its_copy(headers: tuple[str, ...], ends: bytes) -> None:
    event = told(mail(*headers).replace(b"\n", ends))
    assert (event.copy, event.kind, event.address) == ((ORIGIN, ORDINAL), "hard", "tove@quay.example")


@pytest.mark.parametrize(
    "copy",
    [
        f"List-Unsubscribe: <https://news.example/u/{TOKEN}>, <mailto:leave@bounce.example>",
        f"Return-Path: <{PATH}>",
    ],
)
def test_what_we_signed_in_the_returned_headers_names_it_too(copy: str) -> None:
    assert told(mail("To: postmaster@dispatch.example", copy=copy)).copy == (ORIGIN, ORDINAL)


def test_a_link_of_another_kind_names_nobody() -> None:
    assert told(mail("To: postmaster@dispatch.example", copy=f"X: https://news.example/u/{CLICK}")).copy is None


@pytest.mark.parametrize("at", range(2, PATH.index("@")))
def test_one_changed_character_of_a_return_path_is_a_forgery_and_nothing_in_it_is_believed(at: int) -> None:
    other = "0" if PATH[at] != "0" else "1"
    forged = PATH[:at] + other + PATH[at + 1 :]
    event = told(mail(f"To: {forged}", copy=f"List-Unsubscribe: <https://news.example/u/{TOKEN}>"))
    assert (event.kind, event.reason, event.copy, event.address) == ("other", FORGED, None, "")


def test_mail_to_another_houses_return_path_is_no_forgery_of_ours() -> None:
    assert told(mail("To: b+1.2.000000000000@elsewhere.example")).reason != FORGED


def test_a_message_id_of_ours_is_kept_for_whoever_looks_the_copy_up() -> None:
    event = told(mail("To: postmaster@dispatch.example", copy=f"Message-ID: <{'0a' * 15}@dispatch.example>"))
    assert event.message_ids == (f"<{'0a' * 15}@dispatch.example>",)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (mail(f"To: {PATH}", status="4.2.2").replace(b"failed", b"delayed"), "other"),
        (mail(f"To: {PATH}", status="2.0.0").replace(b"failed", b"delivered"), "delivered"),
        (mail(f"To: {PATH}", status="5.2.2"), "soft"),
        (f"From: a@b.example\nTo: {PATH}\nAuto-Submitted: auto-replied\n\nAway".encode(), "auto-reply"),
        (f"From: a@b.example\nTo: {PATH}\nSubject: hello\n\nThanks".encode(), "other"),
    ],
)
def test_a_notice_of_delay_counts_for_nothing_and_a_success_is_one(raw: bytes, kind: str) -> None:
    assert told(raw).kind == kind


def test_the_same_bytes_are_the_same_event() -> None:
    first, again, other = (told(mail(f"To: {PATH}", status=s)) for s in ("5.1.1", "5.1.1", "5.1.2"))
    assert first.id == again.id != other.id and len(first.id) <= 120


@given(st.binary(max_size=600), st.sampled_from([b"", f"To: {PATH}\n".encode(), b"To: b+\xff@" + DOMAIN.encode()]))
def test_any_bytes_make_an_event(raw: bytes, head: bytes) -> None:
    assert told(head + raw).way == "mailbox"
