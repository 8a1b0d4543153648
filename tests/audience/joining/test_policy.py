"""Which addresses may join."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.audience.joining import policy
from pipeline.audience.joining.policy import Unwelcome, usable
from pipeline.kernel.config import config


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" Cleo@Example.ORG ", "cleo@example.org"),
        ("cleo+news@example.org", "cleo+news@example.org"),
        ("cleo@bücher.example", "cleo@bücher.example"),
        ("cleo@xn--bcher-kva.example", "cleo@bücher.example"),
        ("info@example.org", "info@example.org"),
        ("KLÉO@example.org", "kléo@example.org"),
        ("kle\u0301o@example.org", "kléo@example.org"),
        ("用户@例子.example", "用户@例子.example"),
    ],
)
def test_an_address_is_kept_in_one_spelling(given: str, kept: str) -> None:
    assert usable(given) == kept


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "address"),
        ("cleo", "address"),
        ("cleo@example.org\nBcc: dan@example.org", "address"),
        ("a" * 400 + "@example.org", "address"),
        ("kl\u202eo@example.org", "address"),
        ("kl\u00a0o@example.org", "address"),
        ("No-Reply@example.org", "role"),
        ("abuse+x@example.org", "role"),
        ("cleo@mailinator.com", "throwaway"),
        ("cleo@deep.in.Mailinator.com", "throwaway"),
    ],
)
def test_what_cannot_join_is_refused_with_a_reason(given: str, code: str) -> None:
    with pytest.raises(Unwelcome) as caught:
        usable(given)
    assert caught.value.code == code


def test_an_operator_adds_domains_of_their_own() -> None:
    path: Path = config().data_dir / policy.OWN_LIST
    path.write_text("# ours\nBücher.example  # not this\n..nonsense..\n!\n!good.mailinator.com\n", encoding="utf-8")
    try:
        for refused in (
            "cleo@bücher.example",
            "cleo@deep.bücher.example",
            "cleo@mailinator.com",
            "cleo@od.mailinator.com",
        ):
            with pytest.raises(Unwelcome, match="throwaway"):
                usable(refused)
        assert usable("cleo@good.mailinator.com")
    finally:
        path.unlink()
    assert usable("cleo@bücher.example")


@pytest.mark.parametrize(
    "domain", ["gmail.com", "proton.me", "duck.com", "privaterelay.appleid.com", "mozmail.com", "laposte.net"]
)
def test_mailboxes_and_relays_of_living_people_may_join(domain: str) -> None:
    assert usable(f"cleo@{domain}") == f"cleo@{domain}"
