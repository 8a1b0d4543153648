"""Credentials at rest: opened with a key we had, for the row they were sealed for, and by nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kernel.secrets import Sealed, seal, unseal

OLD, NEW = "the secret of last year", "the secret of this year"
KEYS = {"token": "4711", "secret": "naïve “quotes”"}


@settings(max_examples=30)
@given(values=st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=4), row=st.text(max_size=40))
def test_what_was_sealed_is_opened_as_it_was(values: dict[str, str], row: str) -> None:
    assert unseal(seal(values, secrets=[NEW], bound_to=row), secrets=[NEW], bound_to=row) == values


def test_nothing_of_it_can_be_read() -> None:
    sealed = seal(KEYS, secrets=[NEW], bound_to="x/@dispatch")
    assert sealed.isascii()
    assert not [word for word in ("4711", "token", "dispatch") if word in sealed]
    assert sealed != seal(KEYS, secrets=[NEW], bound_to="x/@dispatch"), "equal credentials do not look equal"


def test_a_new_secret_opens_what_the_old_one_sealed_as_long_as_both_are_known() -> None:
    sealed = seal(KEYS, secrets=[OLD], bound_to="x/@dispatch")
    assert unseal(sealed, secrets=[NEW, OLD], bound_to="x/@dispatch") == KEYS
    again = seal(KEYS, secrets=[NEW, OLD], bound_to="x/@dispatch")
    assert unseal(again, secrets=[NEW], bound_to="x/@dispatch") == KEYS, "the first secret seals"
    with pytest.raises(Sealed, match="connect the account again"):
        unseal(sealed, secrets=[NEW], bound_to="x/@dispatch")


def test_a_copy_in_another_row_opens_nothing() -> None:
    sealed = seal(KEYS, secrets=[NEW], bound_to="x/@dispatch")
    with pytest.raises(Sealed, match="belong to x/@dispatch, not to x/@other"):
        unseal(sealed, secrets=[NEW], bound_to="x/@other")


@pytest.mark.parametrize("place", [0, 10, 40, -5])
def test_a_changed_letter_opens_nothing(place: int) -> None:
    sealed = seal(KEYS, secrets=[NEW], bound_to="x/@dispatch")
    changed = list(sealed)
    changed[place] = "A" if changed[place] != "A" else "B"
    with pytest.raises(Sealed):
        unseal("".join(changed), secrets=[NEW], bound_to="x/@dispatch")


@pytest.mark.parametrize("text", ["nonsense", "gAAAAA", " "])
def test_what_was_never_sealed_opens_nothing(text: str) -> None:
    with pytest.raises(Sealed):
        unseal(text, secrets=[NEW], bound_to="x/@dispatch")


def test_no_credentials_are_no_credentials() -> None:
    assert unseal("", secrets=[NEW], bound_to="x/@dispatch") == {}
