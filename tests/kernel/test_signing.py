from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernel.signing import Keyring

SECRET = "a secret for the tests of the keyring, and for nothing else"
PERSON = b"dl-test"


@pytest.fixture
def ring() -> Keyring:
    return Keyring.from_secret(SECRET)


@given(body=st.binary(max_size=200), size=st.integers(1, 64))
def test_what_was_signed_is_recognised(body: bytes, size: int) -> None:
    ring = Keyring.from_secret(SECRET)
    assert ring.check(body, ring.mac(body, person=PERSON, size=size), person=PERSON)


@given(body=st.binary(min_size=1, max_size=40), bit=st.integers(0, 7), data=st.data())
def test_one_changed_bit_is_noticed(body: bytes, bit: int, data: st.DataObject) -> None:
    ring = Keyring.from_secret(SECRET)
    mac = ring.mac(body, person=PERSON)
    both = bytearray(body + mac)
    both[data.draw(st.integers(0, len(both) - 1))] ^= 1 << bit
    assert not ring.check(bytes(both[: len(body)]), bytes(both[len(body) :]), person=PERSON)


def test_a_signature_for_one_use_is_void_for_another(ring: Keyring) -> None:
    assert not ring.check(b"body", ring.mac(b"body", person=b"dl-click"), person=b"dl-leave")


def test_a_new_secret_signs_and_the_old_one_still_checks(ring: Keyring) -> None:
    rotated = Keyring.from_secret("the new secret of this year", older=[SECRET])
    old = ring.mac(b"body", person=PERSON)
    assert rotated.newest == 2
    assert rotated.check(b"body", old, person=PERSON, kid=1)
    assert not rotated.check(b"body", old, person=PERSON)
    assert rotated.mac(b"body", person=PERSON) != old


def test_a_retired_secret_checks_nothing_and_the_others_keep_their_numbers(ring: Keyring) -> None:
    rotated = Keyring.from_secret("the third secret of all", older=["", "the second secret of all"])
    assert rotated.newest == 3
    assert not rotated.check(b"body", ring.mac(b"body", person=PERSON), person=PERSON, kid=1)


@pytest.mark.parametrize("mac", [b"", bytes(65), bytes(8)])
def test_an_odd_signature_is_a_plain_no(ring: Keyring, mac: bytes) -> None:
    assert not ring.check(b"body", mac, person=PERSON)


@pytest.mark.parametrize("keys", [{}, {0: bytes(32)}, {16: bytes(32)}, {1: bytes(15)}, {1: bytes(65)}])
def test_a_ring_that_cannot_be_used_is_refused(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError):
        Keyring(keys)


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError):
        Keyring.from_secret("")


def test_a_use_with_too_long_a_name_is_refused(ring: Keyring) -> None:
    with pytest.raises(ValueError, match="longer"):
        ring.mac(b"body", person=b"seventeen bytes !")


def test_derived_keys_differ_by_label_and_by_secret(ring: Keyring) -> None:
    other = Keyring.from_secret("another secret, of another place")
    keys = {
        ring.derive("visitors"),
        ring.derive("webhooks"),
        ring.derive("x" * 500),
        other.derive("visitors"),
    }
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}
    assert ring.derive("visitors") == Keyring.from_secret(SECRET).derive("visitors")


def test_a_borrowed_hash_object_is_not_used_up(ring: Keyring) -> None:
    first = ring.hasher(person=PERSON).copy()
    first.update(b"body")
    assert first.digest() == ring.mac(b"body", person=PERSON) == ring.mac(b"body", person=PERSON)
