"""One spelling for an address, in whatever letters it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audience.addresses import NotAnAddress, normal
from pipeline.audience.imports.rows import spelled


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("JÜRGEN@Example.ORG", "jürgen@example.org"),
        ("ju\u0308rgen@example.org", "jürgen@example.org"),
        ("jürgen@XN--BCHER-KVA.example", "jürgen@bücher.example"),
        ("пример@пример.example", "пример@пример.example"),
        ("ΣΊΣΥΦΟΣ@example.org", "σίσυφος@example.org"),
        ("مثال@example.org", "مثال@example.org"),
    ],
)
def test_internationalised_addresses_have_one_spelling_at_every_door(given: str, kept: str) -> None:
    assert normal(given) == spelled(given) == kept


@pytest.mark.parametrize(
    "address", ["a\u200bb@example.org", "a\u202eb@example.org", "\ud800@example.org", "a\u00a0b@c.example"]
)
def test_letters_nobody_sees_are_no_address(address: str) -> None:
    with pytest.raises(NotAnAddress):
        normal(address)


@given(st.text(max_size=12))
def test_a_stored_spelling_is_its_own(local: str) -> None:
    try:
        stored = normal(f"{local}@example.org")
    except NotAnAddress:
        return
    assert normal(stored) == stored
