"""Before the first MAIL: TLS as asked or as offered, credentials never in the clear, and what announcements allow."""

from __future__ import annotations

import ssl

import pytest

from pipeline.channels.base import Outcome, Permanent, Temporary
from tests.factories.mail_server import (
    CLOSE,
    LATE,
    Rule,
    Scripted,
    letters,
    submitted,
)

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]
A, D, R = Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.REFUSED
SIGNED = {"username": "u", "password": "secret", "security": "tls"}


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_under_tls(secure: Contexts, words: tuple[str, ...], security: str) -> None:
    with Scripted(("STARTTLS", *words), tls=secure[0], wrapped=security == "tls") as server:
        book = submitted(
            server, letters(5, size=200_000), connections=2, to={"security": security}, ssl_context=secure[1]
        )
    assert book.outcomes == [A] * 5
    stages = [stage for stage, _ in server.heard]
    assert stages[:4] == (
        ["connect", "EHLO", "STARTTLS", "EHLO"] if security == "starttls" else [*stages[:1], "EHLO", "MAIL", "RCPT"]
    )


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_is_refused_by_default(secure: Contexts, security: str) -> None:
    with Scripted(("STARTTLS",), tls=secure[0], wrapped=security == "tls") as server:
        book = submitted(server, letters(2), to={"security": security, "username": "u", "password": "p"})
    assert isinstance(book.error, Permanent)
    assert "certificate" in str(book.error)
    assert server.reached["AUTH"] == 0


@pytest.mark.parametrize(("said", "error"), [(b"220 go\r\n250 injected\r\n", Temporary), (b"454 no\r\n", Temporary)])
def test_what_was_said_before_tls_is_never_taken_for_what_came_after(
    secure: Contexts, said: bytes, error: type[Exception]
) -> None:
    with Scripted(("STARTTLS",), {"STARTTLS": said}, tls=secure[0]) as server:
        book = submitted(server, letters(2), to={"security": "starttls"}, ssl_context=secure[1], reconnects=0)
    assert isinstance(book.error, error)
    assert server.reached["MAIL"] == 0


def test_a_server_without_starttls_gets_no_mail_in_the_clear() -> None:
    with Scripted() as server:
        book = submitted(server, letters(2), to={"security": "starttls"})
    assert isinstance(book.error, Permanent)
    assert server.reached["MAIL"] == 0


@pytest.mark.parametrize(("words_", "rules", "lines"), [
    ("AUTH LOGIN PLAIN", {}, [b"AUTH PLAIN AHUAcMOkc3M=\r\n"]),
    ("AUTH LOGIN", {"AUTH": b"334 VXNlcm5hbWU6\r\n", "dQ==": b"334 UGFzc3dvcmQ6\r\n", "cMOk": b"235 in\r\n"},
     [b"AUTH LOGIN\r\n", b"dQ==\r\n", b"cMOkc3M=\r\n"]),
])  # fmt: skip
def test_credentials_are_given_as_offered(
    secure: Contexts, words_: str, rules: dict[str, Rule], lines: list[bytes]
) -> None:
    with Scripted((words_, "PIPELINING"), rules, tls=secure[0], wrapped=True) as server:
        to = {"username": "u", "password": "p\u00e4ss", "security": "tls"}
        book = submitted(server, letters(2), to=to, ssl_context=secure[1])
    assert book.outcomes == [A, A], book.error
    assert [line for _, line in server.heard][2 : 2 + len(lines)] == lines


@pytest.mark.parametrize(("word", "said", "error"), [
    ("AUTH PLAIN", b"535 5.7.8 no\r\n", Permanent), ("AUTH LOGIN", b"535 5.7.8 no\r\n", Permanent),
    ("AUTH CRAM-MD5", b"", Permanent), ("AUTH PLAIN", b"454 4.7.0 later\r\n", Temporary),
])  # fmt: skip
def test_a_refused_sign_in_takes_nothing(secure: Contexts, word: str, said: bytes, error: type[Exception]) -> None:
    with Scripted((word,), {"AUTH": said}, tls=secure[0], wrapped=True) as server:
        book = submitted(server, letters(3), connections=4, to=SIGNED, reconnects=0, ssl_context=secure[1])
    assert isinstance(book.error, error)
    assert (book.taken, server.reached["connect"]) == ([], 1)
    assert "secret" not in str(book.error)


def test_a_sign_in_refused_later_waits_for_what_is_in_flight(secure: Contexts) -> None:
    rules: dict[str, Rule] = {"AUTH": lambda n: None if n == 1 else b"535 5.7.8 no\r\n"}
    rules["dot"] = b"250" + LATE * 8 + b" kept\r\n"
    with Scripted(("AUTH PLAIN",), rules, tls=secure[0], wrapped=True) as server:
        book = submitted(server, letters(9), connections=2, to=SIGNED, ssl_context=secure[1])
    assert isinstance(book.error, Permanent)
    assert set(book.outcomes) == {A}
    assert len(book.taken) < 9


@pytest.mark.parametrize("word", ["AUTH PLAIN", "AUTH LOGIN"])
def test_credentials_are_never_said_in_the_clear(word: str) -> None:
    with Scripted((word,)) as server:
        book = submitted(server, letters(2), to=SIGNED | {"security": "plain"})
    assert isinstance(book.error, Permanent)
    assert "TLS" in str(book.error)
    assert (server.reached["AUTH"], book.taken) == (0, [])


def test_a_wish_for_tls_is_granted_where_it_is_offered(secure: Contexts, words: tuple[str, ...]) -> None:
    with Scripted(("STARTTLS", *words), tls=secure[0]) as server:
        book = submitted(server, letters(3), to={"security": "opportunistic"}, ssl_context=secure[1])
    assert book.outcomes == [A] * 3
    assert [stage for stage, _ in server.heard][:4] == ["connect", "EHLO", "STARTTLS", "EHLO"]


def test_a_wish_for_tls_is_dropped_where_it_is_not_offered_or_not_to_be_had(secure: Contexts) -> None:
    for offered, rules in (((), {}), (("STARTTLS",), {"STARTTLS": b"454 4.7.0 no\r\n"})):
        with Scripted(offered, rules, tls=secure[0]) as server:
            book = submitted(server, letters(3), to={"security": "opportunistic"})
        assert book.outcomes == [A] * 3
        assert server.reached["connect"] == 1


@pytest.mark.parametrize("said", [b"220 go\r\n" + CLOSE, b""])
def test_a_handshake_that_fails_is_not_tried_again_where_tls_was_only_a_wish(secure: Contexts, said: bytes) -> None:
    with Scripted(("STARTTLS",), {"STARTTLS": said} if said else {}, tls=secure[0]) as server:
        book = submitted(server, letters(3), to={"security": "opportunistic"})
    assert book.outcomes == [A] * 3
    assert server.reached["STARTTLS"] == 1


def test_return_mail_is_asked_for_only_where_it_is_understood(words: tuple[str, ...]) -> None:
    with Scripted(("DSN", *words)) as asked, Scripted(words) as plain:
        for server in (asked, plain):
            assert submitted(server, letters(1, sender="b+1.2=x@example.com")).outcomes == [A]
    said = b"".join(line for _, line in asked.heard)
    assert b"> RET=HDRS ENVID=b+2B1.2+3Dx\r\n" in said
    assert b"> NOTIFY=FAILURE ORCPT=rfc822;r1@example.org\r\n" in said
    assert not any(b"RET=" in line or b"NOTIFY" in line for _, line in plain.heard)
