"""Whose servers a domain has, and a pace that follows what they say. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels.mail.providers import (
    CAPS,
    CLEAN_S,
    INCIDENT_S,
    LONGEST_GROUP,
    WARM_AFTER_DAYS,
    Caps,
    NullMX,
    Pace,
    caps_of,
    group_of,
    hosts_of,
    warm_up,
)

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("hosts", "group"),
    [
        (("gmail-smtp-in.l.google.com",), "google"),
        (("aspmx.l.google.com", "alt1.aspmx.l.google.com"), "google"),
        (("mta5.am0.yahoodns.net",), "yahoo"),
        (("mx1.mail.yahoo.co.jp",), "yahoo.co.jp"),
        (("hotmail-com.olc.protection.outlook.com",), "outlook"),
        (("news-example.mail.protection.outlook.com",), "office365"),
        (("mx01.mail.icloud.com",), "icloud"),
        (("mx00.emig.gmx.net",), "gmx"),
        (("mx-ha03.web.de",), "gmx"),
        (("mx1.council.example.co.uk", "mx.google.com"), "example.co.uk"),
        (("mail",), "mail"),
        (("notgoogle.com",), "notgoogle.com"),
    ],
)
def test_domains_roll_up_to_whoever_runs_their_servers(hosts: tuple[str, ...], group: str) -> None:
    assert group_of(hosts) == group


@given(st.text("abc-.", min_size=1, max_size=200))
def test_a_group_always_fits_its_column(host: str) -> None:
    assert 0 < len(group_of((host,))) <= LONGEST_GROUP


def test_the_preferred_server_comes_first_and_none_means_the_domain_itself() -> None:
    assert hosts_of("a.example", [(20, "B.example."), (5, "c.example."), (20, "d.example.")]) == (
        "c.example", "b.example", "d.example",
    )  # fmt: skip
    assert hosts_of("A.example", []) == ("a.example",)


@pytest.mark.parametrize("answers", [[(0, ".")], [(10, "mx.example."), (0, ".")]])
def test_a_null_mx_takes_no_mail_ever(answers: list[tuple[int, str]]) -> None:
    with pytest.raises(NullMX, match=r"a\.example"):
        hosts_of("a.example", answers)


def test_a_share_of_the_caps_is_never_nothing() -> None:
    assert Caps(5, 50, 600).shared(by=2) == Caps(2, 50, 300)
    assert Caps(1, 50, 1).shared(by=64) == Caps(1, 50, 1)
    assert Caps(4, 50, 0).shared(by=2) == Caps(2, 50, 0)
    assert caps_of("google").tls
    assert caps_of("nobody.example") == Caps()


def slowed(pace: Pace, *, code: int = 421, enhanced: str = "4.7.0", text: str = "slow down", now: datetime) -> Pace:
    return pace.heard(code=code, enhanced=enhanced, text=text, now=now)


@pytest.mark.parametrize(
    ("code", "enhanced", "slows"),
    [(421, "", True), (421, "4.3.2", True), (450, "4.7.1", True), (451, "4.7.28", True), (451, "4.3.0", False),
     (450, "4.2.1", False), (550, "5.7.1", False), (550, "5.1.1", False)],
)  # fmt: skip
def test_only_what_is_about_our_pace_changes_it(code: int, enhanced: str, slows: bool) -> None:
    pace = Pace.full(Caps(10), now=NOW)
    heard = slowed(pace, code=code, enhanced=enhanced, now=after(60))
    assert (heard.connections, heard == pace) == (5, False) if slows else (10, True)


def test_what_is_said_on_every_connection_at_once_counts_once() -> None:
    pace = Pace.full(Caps(16), now=NOW)
    for at in (0, 1, INCIDENT_S - 1):
        pace = slowed(pace, now=after(at))
    assert pace.connections == 8
    assert slowed(pace, now=after(INCIDENT_S)).connections == 4


def test_each_clean_stretch_earns_one_connection_and_twice_the_rate() -> None:
    pace = slowed(Pace.full(Caps(10), now=NOW), now=NOW)
    assert pace.grown(now=after(CLEAN_S - 1)) == pace
    assert pace.grown(now=after(CLEAN_S)).connections == 6
    assert pace.grown(now=after(CLEAN_S)).grown(now=after(CLEAN_S)).connections == 6
    assert pace.grown(now=after(9 * CLEAN_S)).connections == 10


def test_a_reputation_block_silences_a_provider_for_two_hours() -> None:
    pace = slowed(Pace.full(caps_of("yahoo"), now=NOW), text="[TSS04] Messages temporarily deferred", now=NOW)
    assert pace.paused(now=after(7199))
    assert not pace.paused(now=after(7200))
    assert "TSS04" in pace.said


def test_a_busy_provider_gets_one_a_minute_for_ninety_minutes_and_then_ever_more() -> None:
    pace = slowed(Pace.full(caps_of("outlook"), now=NOW), text="Server busy. Try later", now=NOW)
    assert (pace.connections, pace.per_minute) == (1, 1)
    assert pace.grown(now=after(5400 + CLEAN_S - 1)) == pace
    later = pace.grown(now=after(5400 + 3 * CLEAN_S))
    assert (later.connections, later.per_minute) == (4, 8)
    assert pace.grown(now=after(5400 + 20 * CLEAN_S)).per_minute == 6000


def test_an_unusual_rate_costs_a_crawl_only_the_second_time() -> None:
    def unusual(pace: Pace, at: float) -> Pace:
        return slowed(pace, enhanced="4.7.28", text="an unusual rate of mail", now=after(at))

    pace = unusual(Pace.full(caps_of("google"), now=NOW), 0)
    assert (pace.connections, pace.per_minute) == (2, 6000)
    assert unusual(pace, 1).per_minute == 6000, "the same incident on another connection"
    assert unusual(pace, 600).per_minute == 10
    assert unusual(pace, 4000).per_minute == 6000, "more than an hour later is a first time again"


def test_a_relay_without_a_rate_of_its_own_is_without_one_again_in_the_end() -> None:
    pace = slowed(Pace.full(Caps(8, 1000, 0), now=NOW), text="server busy", now=NOW)
    assert pace.per_minute == 1
    assert pace.grown(now=after(5400 + 20 * CLEAN_S)).per_minute == 0


STEPS = st.lists(
    st.tuples(
        st.integers(0, 20_000),
        st.sampled_from(["grow", "421 ", "450 4.7.1", "451 [TSS04]", "450 unusual rate", "421 server busy", "550 5.7.1", "450 4.2.2"]),
    ),
    max_size=40,
)  # fmt: skip


@given(st.sampled_from([*CAPS.values(), Caps(1), Caps(8, 1000, 0)]), STEPS)
def test_a_pace_is_never_below_one_never_above_its_caps_and_recovers(caps: Caps, steps: list[tuple[int, str]]) -> None:
    pace, now = Pace.full(caps, now=NOW), NOW
    for wait, said in steps:
        now += timedelta(seconds=wait)
        before, (code, _, text) = pace, said.partition(" ")
        if code == "grow":
            pace = pace.grown(now=now)
            assert pace.connections >= before.connections
        else:
            pace = pace.heard(code=int(code), enhanced=text if text[:2] in ("4.", "5.") else "", text=text, now=now)
            assert pace.connections <= before.connections
            if code == "421" and before.slowed_at is None:
                assert pace.connections <= max(1, before.connections // 2)
        assert 1 <= pace.connections <= caps.connections
        assert pace.per_minute >= (1 if caps.per_minute else 0)
        assert not caps.per_minute or pace.per_minute <= caps.per_minute
    rested = pace.grown(now=now + timedelta(days=40))
    assert (rested.connections, rested.per_minute) == (caps.connections, caps.per_minute)


def test_a_new_address_doubles_every_second_day_until_it_is_known() -> None:
    plan = [warm_up("google", day=day) for day in range(WARM_AFTER_DAYS)]
    days = [step.per_day for step in plan if step]
    assert (days[0], days[1], days[2], days[4]) == (2000, 2000, 4000, 8000)
    assert days == sorted(days)
    assert all(step and step.per_minute >= 1 for step in plan)
    assert warm_up("google", day=WARM_AFTER_DAYS) is None
    assert warm_up("yahoo", day=0) != warm_up("google", day=0)
