"""Lengths as the networks publish them. No expected number here was computed by the code under test.

X: docs.x.com "Counting characters" and twitter-text config v3 (NFC; address 23; emoji sequence 2; U+0000-10FF,
2000-200D, 2010-201F, 2032-2037 weigh 1, all else 2). Mastodon: graphemes, address with scheme 23, @user@host as @user.
Bluesky: graphemes and UTF-8 bytes. Threads: code points, emoji as UTF-8 bytes. Telegram, LinkedIn: UTF-16 units.
"""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels import facts, registry
from pipeline.kernel.config import TEMPLATES

FAMILY = (
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"  # 4 people, 3 joiners: 7 points, 25 bytes, 11 units
)
THUMB = "\U0001f44d\U0001f3fd"  # thumb and skin tone: 2 points, 8 bytes, 4 units
BRITAIN = "\U0001f1ec\U0001f1e7"  # two indicators: 2 points, 8 bytes, 4 units
NOWHERE = "\U0001f1fd\U0001f1fd"  # XX: no such flag
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"  # 7 points, 28 bytes, 14 units
BURNING_HEART = "\u2764\ufe0f\u200d\U0001f525"  # 4 points, 13 bytes, 5 units
ONE = "1\ufe0f\u20e3"  # keycap: 3 points, 7 bytes, 3 units
NAMASTE = "\u0928\u092e\u0938\u094d\u0924\u0947"  # 6 points, 3 graphemes

X = {
    "plain": ("This is a test.", 15),
    "one letter": ("a", 1),
    "line end": ("a\nb", 3),
    "windows line end": ("a\r\nb", 3),
    "decomposed accent becomes one": ("cafe\u0301", 4),
    "composed accent": ("caf\u00e9", 4),
    "stacked marks that have no composed form": ("x\u0323\u0307", 3),
    "cyrillic": ("Привет", 6),
    "arabic": ("\u0645\u0631\u062d\u0628\u0627", 5),
    "devanagari": (NAMASTE, 6),
    "georgian is the last light block": ("\u10d0\u10ff", 2),
    "hangul jamo begin the heavy ones": ("\u1100", 2),
    "hangul composes to one syllable": ("\u1100\u1161\u11a8", 2),
    "hangul": ("한국", 4),
    "japanese": ("日本語", 6),
    "half width katakana": ("\uff76", 2),
    "outside the first plane": ("\U00020000", 2),
    "curly quotes are light": ("“a”", 3),
    "en dash and em dash are light": ("–—", 2),
    "hyphen U+2010 is light, bullet U+2022 is not": ("\u2010\u2022", 1 + 2),
    "ellipsis is heavy": ("…", 2),
    "prime U+2032 is light, U+2038 is not": ("\u2032\u2038", 1 + 2),
    "euro is heavy": ("€5", 2 + 1),
    "trade mark is heavy": ("\u2122", 2),
    "copyright is light": ("\u00a9", 1),
    "copyright as emoji": ("\u00a9\ufe0f", 2),
    "zero width joiner is light": ("a\u200db", 3),
    "zero width non-joiner is light": ("a\u200cb", 3),
    "right-to-left mark is heavy": ("a\u200fb", 1 + 2 + 1),
    "embedding and isolate marks are heavy": ("\u202ba\u202c\u2067b\u2069", 4 * 2 + 2),
    "one emoji": ("\U0001f600", 2),
    "skin tone": (THUMB, 2),
    "family": (FAMILY, 2),
    "burning heart, newer than most tables": (BURNING_HEART, 2),
    "phoenix of 2023": ("\U0001f426\u200d\U0001f525", 2),
    "family of 2023": ("\U0001f9d1\u200d\U0001f9d1\u200d\U0001f9d2", 2),
    "running to the right": ("\U0001f3c3\u200d\u2640\ufe0f\u200d\u27a1\ufe0f", 2),
    "flag": (BRITAIN, 2),
    "flag of no country is two letters": (NOWHERE, 4),
    "flag of a nation": (SCOTLAND, 2),
    "three flags": (BRITAIN * 3, 6),
    "keycap": (ONE, 2),
    "digit is no emoji": ("1", 1),
    "joined people nobody drew": ("\U0001f468\u200d\U0001f436", 2 + 1 + 2),
    "skin tone on a car": ("\U0001f697\U0001f3fd", 2 + 2),
    "heart without its selector": ("\u2764", 2),
    "selector on its own": ("a\ufe0f", 1 + 2),
    "address": ("http://test.com", 23),
    "secure address": ("https://test.com", 23),
    "address in capitals": ("HTTPS://EXAMPLE.COM/A", 23),
    "bare domain": ("test.com", 23),
    "long address": ("https://example.com/" + "a" * 300, 23),
    "three addresses": ("Test https://test.com test https://test.com test.com test", 5 + 23 + 6 + 23 + 1 + 23 + 5),
    "full stop after an address": ("See bbc.com.", 4 + 23 + 1),
    "address in brackets": ("(bbc.co.uk/news)", 1 + 23 + 1),
    "balanced brackets in an address": ("https://en.wikipedia.org/wiki/Port_(wine)", 23),
    "query": ("example.com/path?search=foo&lang=en", 23),
    "no such top level domain": ("example.invalidtld", 18),
    "file name is no address": ("report.docx", 11),
    "mail address": ("ann@example.com", 15),
    "after a dollar": ("$example.com", 12),
    "cashtag": ("$TSLA rises", 11),
    "accented host": ("http://m\u00fcnchen.de/rathaus", 23),
    "accented bare host": ("m\u00fcnchen.de", 23),
    "japanese bare host is text": ("日本語.jp", 3 * 2 + 3),
    "address before japanese": ("http://example.com/これ", 23 + 2 * 2),
    "address after japanese": ("日本example.comです", 2 * 2 + 23 + 2 * 2),
    "after a right-to-left mark": ("\u200fbbc.com", 2 + 23),
    "underscore in the host": ("http://foo_bar.com", 18),
    "t.co takes no more path": ("https://t.co/abc123", 23),
    "port": ("http://example.com:8080/x", 23),
    "ip address is text": ("http://192.168.0.1/", 19),
    "localhost is text": ("http://localhost:8000/", 22),
    "two addresses on lines": ("bbc.com\nbbc.com", 23 + 1 + 23),
    "everything": (f"Ré {FAMILY} 日 https://a.example.org/x", 2 + 1 + 2 + 1 + 2 + 1 + 23),
}  # fmt: skip

MASTODON = {
    "plain": ("This is a test.", 15),
    "decomposed accent": ("cafe\u0301", 4),
    "stacked marks": ("x\u0323\u0307", 1),
    "family": (FAMILY, 1),
    "flag": (BRITAIN, 1),
    "thumb": (THUMB, 1),
    "keycap": (ONE, 1),
    "devanagari": (NAMASTE, 3),
    "japanese": ("日本語", 3),
    "windows line end": ("a\r\nb", 3),
    "address": ("see http://test.com", 4 + 23),
    "long address": ("https://example.com/" + "a" * 300, 23),
    "bare domain is text": ("bbc.com", 7),
    "japanese path belongs to the address": ("http://example.com/これ", 23),
    "full stop after an address": ("http://example.com/a.", 23 + 1),
    "balanced brackets": ("https://en.wikipedia.org/wiki/Port_(wine)", 23),
    "host that cannot exist": ("http://" + "b" * 64 + ".com/x", 7 + 64 + 6),
    "mention of a neighbour": ("@alice hi", 9),
    "mention of a stranger": ("@alice@" + "b" * 30 + ".com", 6),
    "stranger's host too long": ("@alice@" + "b" * 300 + ".com", 7 + 304),
    "mention inside an address": ("https://m.example.org/@a@b.example", 23),
    "mail address is no mention": ("ann@example.com", 15),
    "hashtag": ("#MiddleEast", 11),
}  # fmt: skip

BLUESKY = {
    "plain": ("This is a test.", 15),
    "family": (FAMILY, 1),
    "flag": (BRITAIN, 1),
    "devanagari": (NAMASTE, 3),
    "thai": ("\u0e01\u0e33\u0e19\u0e31\u0e25", 3),
    "hangul jamo": ("\u1112\u1161\u11ab", 1),
    "address has no discount": ("http://test.com", 15),
    "address in japanese": ("日http://test.com", 16),
}

THREADS = {
    "plain": ("This is a test.", 15),
    "japanese": ("日本語", 3),
    "smile": ("a\U0001f600", 1 + 4),
    "family": (FAMILY, 25),
    "flag": (BRITAIN, 8),
    "thumb": (THUMB, 8),
    "keycap": (ONE, 7),
    "heart": ("\u2764\ufe0f", 6),
    "scotland": (SCOTLAND, 28),
    "address": ("http://test.com", 15),
    "copyright is a character": ("\u00a9 2026", 6),
}

UTF16 = {
    "plain": ("This is a test.", 15),
    "japanese": ("日本語", 3),
    "smile": ("\U0001f600", 2),
    "family": (FAMILY, 11),
    "flag": (BRITAIN, 4),
    "scotland": (SCOTLAND, 14),
    "bold letters of mathematics": ("\U0001d5d4\U0001d5d5", 4),
    "decomposed accent": ("e\u0301", 2),
    "address": ("http://test.com", 15),
}

DISCORD = {
    "plain": ("This is a test.", 15),
    "smile": ("\U0001f600", 1),
    "family": (FAMILY, 7),
    "flag": (BRITAIN, 2),
    "decomposed accent": ("e\u0301", 2),
    "last code point": ("\U0010ffff \uffff", 3),
}

CASES = [
    pytest.param(network, *case, id=f"{network}: {name}")
    for network, table in {
        "x": X, "mastodon": MASTODON, "bluesky": BLUESKY, "threads": THREADS, "linkedin": UTF16, "telegram": UTF16,
        "discord": DISCORD, "facebook": UTF16, "slack": UTF16, "hook": DISCORD, "feed": DISCORD, "pretend": BLUESKY,
    }.items()
    for name, case in table.items()
]  # fmt: skip

LIMITS = {
    "x": 280, "mastodon": 500, "bluesky": 300, "threads": 500, "linkedin": 3000, "telegram": 4096, "discord": 2000,
}  # fmt: skip


def test_there_are_enough_texts() -> None:
    assert len({case.values[1] for case in CASES}) >= 60


@pytest.mark.parametrize(("network", "text", "length"), CASES)
def test_length_is_the_networks_own(network: str, text: str, length: int) -> None:
    measured = facts.measure(network, text)
    assert measured.length == length


@pytest.mark.parametrize(("network", "limit"), LIMITS.items())
def test_the_limit_itself_fits_and_one_more_does_not(network: str, limit: int) -> None:
    assert facts.measure(network, "a" * limit) == facts.Measure(length=limit, limit=limit, valid=True)
    over = facts.measure(network, "a" * (limit + 1))
    assert (over.valid, over.length) == (False, limit + 1)
    assert f"{limit:,}" in over.why_not


def test_an_instance_of_mastodon_may_allow_more() -> None:
    assert facts.measure("mastodon", "a" * 5000, limit=5000).valid


@pytest.mark.parametrize("network", facts.NETWORKS)
@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_nothing_is_not_a_post(network: str, text: str) -> None:
    assert facts.measure(network, text).why_not == "empty"


def test_bluesky_counts_bytes_too() -> None:
    """120 families are 120 graphemes and 3,000 bytes; one more is 121 graphemes and 3,025 bytes."""
    assert facts.measure("bluesky", FAMILY * 120).valid
    over = facts.measure("bluesky", FAMILY * 121)
    assert (over.length, over.valid) == (121, False)
    assert "3,025 bytes" in over.why_not


def test_threads_takes_five_links_and_no_sixth() -> None:
    five = " ".join(f"https://example.org/{number}" for number in range(5))
    assert facts.measure("threads", f"{five} https://example.org/0").valid
    assert "6 links" in facts.measure("threads", f"{five} https://example.org/5").why_not


@pytest.mark.parametrize("character", ["\ufeff", "\ufffe", "\uffff"])
def test_x_refuses_what_is_no_character(character: str) -> None:
    assert not facts.measure("x", f"a{character}b").valid


@pytest.mark.parametrize(
    ("network", "text", "urls"),
    [
        ("x", "a bbc.com, https://b.example.org/x?y=1.", ("bbc.com", "https://b.example.org/x?y=1")),
        ("mastodon", "a bbc.com, https://b.example.org/x?y=1.", ("https://b.example.org/x?y=1",)),
        ("bluesky", "(https://b.example.org/x) bbc.com", ("https://b.example.org/x",)),
        ("telegram", "“https://b.example.org/x”!", ("https://b.example.org/x",)),
        ("discord", "<https://b.example.org/x>", ("https://b.example.org/x",)),
        ("linkedin", "none here", ()),
    ],
)
def test_addresses_are_those_the_network_finds(network: str, text: str, urls: tuple[str, ...]) -> None:
    assert facts.measure(network, text).urls == urls


def test_an_unknown_network_is_told_which_are_known() -> None:
    with pytest.raises(facts.UnknownNetworkError, match=r"'myspace'.*bluesky.*mastodon.*x"):
        facts.measure("myspace", "a")


def test_half_a_surrogate_pair_is_not_measured() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        facts.measure("discord", "a\ud83d")


def test_a_link_on_x_costs_thirteen_times_as_much() -> None:
    assert facts.cost("x", "Ferries run again https://b.example.org/x") == Decimal("0.200")
    assert facts.cost("x", "Ferries run again: bbc.com") == Decimal("0.200")
    assert facts.cost("x", "Ferries run again") == Decimal("0.015")
    assert facts.cost("mastodon", "Ferries run again https://b.example.org/x") == 0


def test_every_act_on_x_has_the_price_that_x_published() -> None:
    """docs.x.com/x-api/getting-started/pricing, as changed on 2026-04-20."""
    published = {
        "post": "0.015", "post with link": "0.200", "delete": "0.010", "read own post": "0.001", "read post": "0.005",
        "alt text": "0.005",
    }  # fmt: skip
    assert {act: str(facts.price_of("x", act)) for act in published} == published
    assert {facts.PRICES["x", act].since.isoformat() for act in published} == {"2026-04-20"}
    assert facts.price_of("bluesky", "delete") == 0


def test_every_network_has_words_of_its_own() -> None:
    """What accounts post by default: templates/social/<network>.txt."""
    kept = {path.stem for path in (TEMPLATES / "social").glob("*.txt")}
    assert kept == set(facts.NETWORKS)


def test_every_adapter_has_facts() -> None:
    assert set(registry.ADAPTERS) <= set(facts.NETWORKS)


def test_every_fact_and_price_names_its_source_and_day() -> None:
    for network in facts.NETWORKS.values():
        assert network.source
        assert network.read_at.year >= 2026
    for price in facts.PRICES.values():
        assert price.source
        assert price.since.year >= 2026


@pytest.mark.parametrize(
    "text",
    ["a." * 2000, "http://" + "a." * 2000, "http://a.com/" + "(" * 4000, "中" * 3000 + "." + "文" * 900],
)
def test_hostile_text_is_measured_in_bounded_time(text: str) -> None:
    began = time.thread_time()
    for network in ("x", "mastodon", "bluesky"):
        facts.measure(network, text)
    assert time.thread_time() - began < 5


@given(text=st.text(max_size=60), network=st.sampled_from(sorted(facts.NETWORKS)))
def test_a_valid_text_is_within_its_limit(text: str, network: str) -> None:
    measured = facts.measure(network, text)
    assert measured.valid is (measured.why_not == "")
    assert not measured.valid or 0 < measured.length <= measured.limit


@given(words=st.lists(st.sampled_from(["a", "日", FAMILY, BRITAIN, "é"]), min_size=1, max_size=12))
def test_words_without_addresses_add_up(words: list[str]) -> None:
    """A blank apart, nothing joins: the whole is the sum of the words and the blanks between them."""
    weights = {"a": 1, "日": 2, FAMILY: 2, BRITAIN: 2, "é": 1}
    text = " ".join(words)
    assert facts.measure("x", text).length == sum(weights[word] for word in words) + len(words) - 1
    assert facts.measure("mastodon", text).length == 2 * len(words) - 1
