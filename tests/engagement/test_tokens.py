from __future__ import annotations

import random
import string
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engagement.tokens import Kind, Token, mint, minter, permute, read, unpermute
from pipeline.kernel.signing import Keyring

RING = Keyring.from_secret("a secret for the tests of tokens, and for nothing else")
ORIGIN = 0xB37A11CE
URL_SAFE = string.ascii_letters + string.digits + "-_"

u32 = st.integers(0, 2**32 - 1)
u16 = st.integers(0, 2**16 - 1)
kinds = st.sampled_from(list(Kind))


@pytest.fixture
def token() -> str:
    return mint(RING, kind=Kind.CLICK, origin=ORIGIN, ordinal=7, link=3)


@given(kind=kinds, origin=u32, ordinal=u32, link=u16)
def test_a_token_says_what_was_put_into_it(kind: Kind, origin: int, ordinal: int, link: int) -> None:
    text = mint(RING, kind=kind, origin=origin, ordinal=ordinal, link=link)
    assert len(text) == 26
    assert set(text) <= set(URL_SAFE)
    assert read(RING, text, kind=kind) == Token(origin, ordinal, link, True, False)


@given(origin=u32, ordinal=u32, link=u16, minted=kinds, asked=kinds)
def test_a_token_works_at_its_own_door_only(origin: int, ordinal: int, link: int, minted: Kind, asked: Kind) -> None:
    text = mint(RING, kind=minted, origin=origin, ordinal=ordinal, link=link)
    assert read(RING, text, kind=asked).valid == (minted == asked)


@given(origin=u32, number=u32)
def test_a_permuted_number_comes_back(origin: int, number: int) -> None:
    assert unpermute(RING, origin=origin, number=permute(RING, origin=origin, number=number)) == number


def test_permuted_numbers_are_all_different_and_look_like_none_of_them() -> None:
    seen = [permute(RING, origin=ORIGIN, number=number) for number in range(20_000)]
    assert len(set(seen)) == len(seen)
    assert sum(number < 20_000 for number in seen) < 10, "about 0.1 of 20,000 random 32-bit numbers are as small"
    rising = sum(two > one for one, two in pairwise(seen))
    assert 9_600 < rising < 10_400, "neighbours must be as often above as below each other"


def test_one_reader_has_another_number_in_every_origin() -> None:
    assert len({permute(RING, origin=origin, number=1) for origin in range(500)}) == 500


def test_a_whole_mail_gets_the_same_tokens_as_one_by_one() -> None:
    made = minter(RING, kind="click", origin=ORIGIN)
    row = made.mint_row(9, range(20))
    assert [text.decode() for text in row] == [made(9, link) for link in range(20)]
    assert made(9, 4) == mint(RING, kind=Kind.CLICK, origin=ORIGIN, ordinal=9, link=4)


def test_one_token_has_one_spelling(token: str) -> None:
    for last in set(URL_SAFE) - {token[-1]}:
        found = read(RING, token[:-1] + last, kind="click")
        assert not found.valid
        assert (found.origin, found.link, found.mangled) == (ORIGIN, 3, True)


def test_the_other_base64_alphabet_is_another_spelling() -> None:
    texts = (mint(RING, kind="click", origin=ORIGIN, ordinal=n, link=1) for n in range(1000))
    text = next(text for text in texts if "-" in text or "_" in text)
    assert not read(RING, text.replace("-", "+").replace("_", "/"), kind="click").valid


@pytest.mark.parametrize(
    "junk", ["'", "%27", ")", ".", "/", "=", "==", "-", "AAAA", '">', "\u201d", "\n", " ", "é", "\0"]
)
def test_junk_behind_a_token_is_cut_off_and_noted(token: str, junk: str) -> None:
    assert read(RING, token + junk, kind="click") == Token(ORIGIN, 7, 3, True, True)


@pytest.mark.parametrize("length", range(15, 26))
def test_a_cut_token_still_leads_to_its_link_but_counts_for_nobody(token: str, length: int) -> None:
    assert read(RING, token[:length], kind="click") == Token(ORIGIN, 0, 3, False, True)


@pytest.mark.parametrize("length", range(15))
def test_a_stump_says_nothing(token: str, length: int) -> None:
    assert read(RING, token[:length], kind="click") == Token(0, 0, 0, False, True)


@given(text=st.text(max_size=80))
def test_no_text_makes_reading_raise_or_is_taken_for_ours(text: str) -> None:
    assert not read(RING, text, kind="click").valid


def test_a_million_guesses_would_not_do() -> None:
    dice = random.Random(7)
    guesses = ("".join(dice.choices(URL_SAFE, k=25)) + dice.choice("AQgw") for _ in range(20_000))
    assert not any(read(RING, guess, kind="click").valid for guess in guesses)


@given(place=st.integers(0, 24), sign=st.sampled_from(URL_SAFE))
def test_one_changed_character_voids_a_token(place: int, sign: str) -> None:
    token = mint(RING, kind=Kind.CLICK, origin=ORIGIN, ordinal=7, link=3)
    altered = token[:place] + sign + token[place + 1 :]
    assert read(RING, altered, kind="click").valid == (altered == token)


def test_tokens_of_an_old_key_count_until_it_is_retired(token: str) -> None:
    old = "a secret for the tests of tokens, and for nothing else"
    rotated = Keyring.from_secret("next year's secret", older=[old])
    retired = Keyring.from_secret("next year's secret", older=[""])
    assert read(rotated, token, kind="click") == Token(ORIGIN, 7, 3, True, False)
    assert read(retired, token, kind="click") == Token(ORIGIN, 0, 3, False, True)
    fresh = mint(rotated, kind="click", origin=ORIGIN, ordinal=7, link=3)
    assert read(rotated, fresh, kind="click").valid
    assert not read(RING, fresh, kind="click").valid


@pytest.mark.parametrize(("origin", "ordinal", "link"), [(2**32, 1, 1), (-1, 1, 1), (1, 2**32, 1), (1, 1, 2**16)])
def test_what_does_not_fit_is_refused_when_minted(origin: int, ordinal: int, link: int) -> None:
    with pytest.raises((struct.error, OverflowError)):
        mint(RING, kind="click", origin=origin, ordinal=ordinal, link=link)


def test_an_unknown_kind_is_refused_when_minted() -> None:
    with pytest.raises(KeyError):
        mint(RING, kind="wink", origin=1, ordinal=1, link=1)


def test_a_token_of_the_first_edition_is_still_ours() -> None:
    """Written down when the format was: mail that is out cannot be changed."""
    assert read(RING, "EbN6Ec6I8e6DAAPIlASLRtEvsg", kind="click") == Token(ORIGIN, 7, 3, True, False)
