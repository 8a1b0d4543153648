"""Signed links: whole or worthless."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.schedule.alarms.seals import Sealed, opened, seal

UNTIL = datetime(2026, 4, 19, 4, 30, tzinfo=UTC)
SEALED = Sealed(7, 12, UNTIL)


def test_a_link_says_for_whom_for_what_and_until_when() -> None:
    assert opened(seal(SEALED)) == SEALED
    assert seal(SEALED) != seal(Sealed(8, 12, UNTIL))


@pytest.mark.parametrize("said", ["", "x", "é", "A" * 54, "A" * 5000, "%00", "=="])
def test_what_we_never_gave_out_opens_nothing(said: str) -> None:
    assert opened(said) is None


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 53), sign=st.sampled_from("ABCxyz019-_"))
def test_one_changed_sign_voids_it(at: int, sign: str) -> None:
    token = seal(SEALED)
    other = token[:at] + sign + token[at + 1 :]
    assert opened(other) in ({SEALED} if other == token else {None})
