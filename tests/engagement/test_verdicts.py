"""Person or machine: a table of rules, and what holds for any list of events."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engagement.hits import RULES, Hit, Ruling, Thresholds, Verdict
from pipeline.engagement.verdicts import counts_from, judge, settled_at
from tests.factories.hits import CHROME, GMAIL, MPP, SENT, labelled


def hit(after_s: float, link: str = "1", **facts: object) -> Hit:
    known = {"message": "a", "ua": CHROME, "ip": "192.0.2.10", "delivered_at": SENT} | facts
    return Hit(at=SENT + timedelta(seconds=after_s), link=link, **known)  # type: ignore[arg-type]


def rulings(*hits: Hit) -> list[str]:
    return [str(verdict.verdict) for verdict in judge(hits)]


@pytest.mark.parametrize(
    ("one", "ruling", "rules"),
    [
        (hit(300), Ruling.HUMAN, ()),
        (hit(300, headers={"DNT": "1", "Sec-GPC": "1"}), Ruling.HUMAN, ()),
        (hit(300, method="get"), Ruling.HUMAN, ()),
        (hit(300, delivered_at=None), Ruling.HUMAN, ()),
        (hit(30), Ruling.HUMAN, ()),
        (hit(300, method="HEAD"), Ruling.SCANNER, ("R1",)),
        (hit(300, method="OPTIONS"), Ruling.SCANNER, ("R1",)),
        (hit(300, headers={"Sec-Purpose": "prefetch"}), Ruling.PREFETCH, ("R2",)),
        (hit(300, method="HEAD", headers={"x-moz": "prefetch"}), Ruling.PREFETCH, ("R1", "R2")),
        (hit(300, ua=""), Ruling.SCANNER, ("R3",)),
        (hit(300, ua="curl/8.9"), Ruling.SCANNER, ("R3",)),
        (hit(300, ua=MPP), Ruling.SCANNER, ("R3",)),
        (hit(300, ua=GMAIL), Ruling.SCANNER, ("R3",)),
        (hit(300, ua="Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko)"), Ruling.HUMAN, ()),
        (hit(300, honeypot=True), Ruling.SCANNER, ("R4",)),
        (hit(300, ip="40.107.218.12"), Ruling.SCANNER, ("R5",)),
        (hit(300, ip="k7f", network="barracuda-egd"), Ruling.SCANNER, ("R5",)),
        (hit(300, ip="40.107.218.12", network=""), Ruling.HUMAN, ()),
        (hit(29), Ruling.SCANNER, ("R6",)),
        (hit(-5), Ruling.SCANNER, ("R6",)),
        (hit(59, ""), Ruling.SCANNER, ("R6",)),
        (hit(61, ""), Ruling.HUMAN, ()),
        (hit(599, asn=22843), Ruling.SCANNER, ("R6",)),
        (hit(3600, asn=22843), Ruling.HUMAN, ()),
        (hit(300, mangled=True), Ruling.UNKNOWN, ("DAMAGED",)),
        (hit(300, "", ua=MPP), Ruling.PREFETCH, ("MPP",)),
        (hit(3, "", ua=MPP), Ruling.PREFETCH, ("R6", "MPP")),
        (hit(300, "", ua=GMAIL), Ruling.UNKNOWN, ("PROXY",)),
        (hit(300, told=True), Ruling.SCANNER, ("P1",)),
        # R10: where servers live, a doubt for who is early and nothing for who is not, or opens, or has another address
        (hit(119, ip="95.216.3.4"), Ruling.UNKNOWN, ("R10",)),
        (hit(119, ip="k7f", hosted=True), Ruling.UNKNOWN, ("R10",)),
        (hit(119, asn=24940), Ruling.UNKNOWN, ("R10",)),
        (hit(20, ip="95.216.3.4"), Ruling.SCANNER, ("R6", "R10")),
        (hit(120, ip="95.216.3.4"), Ruling.HUMAN, ()),
        (hit(119, "", ip="95.216.3.4"), Ruling.HUMAN, ()),
        (hit(119, ip="95.216.3.4", hosted=False), Ruling.HUMAN, ()),
        (hit(119, ip="95.216.3.4", delivered_at=None), Ruling.HUMAN, ()),
    ],
)
def test_one_event_alone_is_judged_by_its_own_rules(one: Hit, ruling: Ruling, rules: tuple[str, ...]) -> None:
    assert judge([one]) == [Verdict(ruling, rules)]


FAR = "198.51.100.9"


@pytest.mark.parametrize(
    ("hits", "expected"),
    [
        # R4: ten seconds for anybody, ten minutes for the same network, other messages untouched
        ([hit(300), hit(309, "trap", honeypot=True, ip=FAR)], "scanner scanner"),
        ([hit(300), hit(311, "trap", honeypot=True, ip=FAR)], "human scanner"),
        ([hit(300), hit(899, "trap", honeypot=True)], "scanner scanner"),
        ([hit(300), hit(901, "trap", honeypot=True)], "human scanner"),
        ([hit(300, message="b"), hit(301, "trap", honeypot=True)], "human scanner"),
        ([hit(300), hit(301, "trap", honeypot=True, method="HEAD")], "human scanner"),
        # R7: two links of one source in 5 s, three of anybody in 10 s, nearly all in a minute
        ([hit(300), hit(305, "2")], "scanner scanner"),
        ([hit(300), hit(306, "2")], "human human"),
        ([hit(300), hit(304)], "human human"),
        ([hit(300), hit(304, "2", ip=FAR)], "human human"),
        ([hit(300), hit(304, "2", message="b")], "human human"),
        ([hit(300), hit(305, "2", ip=FAR), hit(310, "3", ip="203.0.113.4")], "scanner scanner scanner"),
        ([hit(300), hit(305, "2", ip=FAR), hit(311, "3", ip="203.0.113.4")], "human human human"),
        ([hit(300 + 15 * n, str(n), links=5) for n in range(4)], "scanner scanner scanner scanner"),
        ([hit(300 + 15 * n, str(n), links=6) for n in range(4)], "human human human human"),
        ([hit(300 + 15 * n, str(n), links=3) for n in range(3)], "human human human"),
        ([hit(300 + 11 * n, str(n)) for n in range(6)], "scanner " * 6),
        ([hit(300 + 11 * n, str(n)) for n in range(5)], "human " * 5),
        ([hit(300), hit(301, "2"), hit(302, "")], "scanner scanner scanner"),
        ([hit(300, ""), hit(300.01)], "human human"),
        # a chat's previews and a HEAD round beside a reader's click
        (
            [hit(300), *(hit(302, str(n), ua="Slackbot-LinkExpanding 1.0", ip=FAR) for n in range(4))],
            "human" + " scanner" * 4,
        ),
        ([hit(300), *(hit(301, str(n), method="HEAD") for n in range(4))], "human" + " scanner" * 4),
        (
            [hit(300), *(hit(301, str(n), headers={"Purpose": "prefetch"}) for n in range(4))],
            "human" + " prefetch" * 4,
        ),
        # R8: twice in a message, or beside a whole one
        ([hit(300, mangled=True), hit(900, "2", mangled=True)], "scanner scanner"),
        ([hit(300), hit(300.4, mangled=True)], "scanner scanner"),
        ([hit(300), hit(303, mangled=True)], "human unknown"),
        ([hit(300, mangled=True), hit(300, message="b", mangled=True)], "unknown unknown"),
        # R10: two links from where servers live, sooner than most read; beside them a reader at home
        ([hit(300, hosted=True), hit(315, "2", ip=FAR, hosted=True), hit(310, "3")], "unknown unknown human"),
        ([hit(300, hosted=True), hit(316, "2", hosted=True)], "human human"),
        ([hit(300, hosted=True), hit(310, hosted=True)], "human human"),
        ([hit(300, hosted=True), hit(304, "2", hosted=True)], "scanner scanner"),
        # R10: an echo of a reader's click, before or after it; not of one from beside, nor later, nor on another link
        ([hit(300), hit(312, ip=FAR, hosted=True)], "human unknown"),
        ([hit(300, ip=FAR, hosted=True), hit(303, ip=FAR, hosted=True), hit(312)], "unknown unknown human"),
        ([hit(300), hit(316, ip=FAR, hosted=True)], "human human"),
        ([hit(300), hit(312, hosted=True)], "human human"),
        ([hit(300), hit(312, "2", ip=FAR, hosted=True)], "human human"),
        # without an address nobody is a neighbour
        ([hit(300, "2", honeypot=True, ip=""), hit(400, ip="")], "scanner human"),
        # nobody in particular: no rule about one reader applies
        ([hit(300 + n, str(n), message="", delivered_at=None) for n in range(5)], "human " * 5),
    ],
)
def test_events_beside_each_other_are_judged_together(hits: list[Hit], expected: str) -> None:
    assert rulings(*hits) == expected.split()


def crowd(readers: int, gap_s: float, **facts: object) -> list[Hit]:
    return [hit(3600 + n * gap_s, message=f"m{n}", **facts) for n in range(readers)]


def mixed(readers: int, gap_s: float, *, programs: int, **facts: object) -> list[Hit]:
    """A campus or an office behind one address, or a gateway that shows one browser after the other."""
    seen = [f"Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/{120 + n}.0" for n in range(programs)]
    return [replace(one, ua=seen[n % programs]) for n, one in enumerate(crowd(readers, gap_s, **facts))]


@pytest.mark.parametrize(
    ("hits", "ruling"),
    [
        (crowd(21, 1.9), "scanner"),
        (crowd(20, 1.9), "human"),
        (crowd(21, 2.0), "human"),
        (crowd(21, 1.9, network="apple-relay"), "human"),
        (crowd(21, 1.9, ip=""), "human"),
        ([replace(one, message="m", link=str(n % 2)) for n, one in enumerate(crowd(40, 6.0))], "human"),
        ([replace(one, link="") for one in crowd(40, 1.0)], "human"),
        (crowd(300, 0.5), "scanner"),
        (mixed(40, 1.0, programs=7), "scanner"),
        (mixed(40, 0.1, programs=20), "scanner"),
        (mixed(40, 1.0, programs=20, hosted=True), "scanner"),
        (mixed(40, 1.0, programs=20, network="mimecast"), "scanner"),
        (mixed(40, 1.0, programs=20), "human"),
        (mixed(1000, 0.5, programs=20), "human"),
    ],
)
def test_one_network_clicking_for_many_readers_is_a_machine(hits: list[Hit], ruling: str) -> None:
    assert set(rulings(*hits)) == {ruling}


def test_a_crowd_ends_where_its_window_ends() -> None:
    late = hit(3600 + 40 + 601, message="late")
    assert rulings(*crowd(30, 1.0), late)[-1] == "human"


def test_every_rule_that_can_fire_has_a_sentence() -> None:
    fired = {
        rule
        for verdict in judge(
            [hit(300, "", ua=GMAIL), hit(300, told=True), hit(60, hosted=True), *(one for one, _ in labelled(seed=3))]
        )
        for rule in verdict.rules
    }
    assert fired == set(RULES)


def test_shorter_thresholds_serve_the_demo() -> None:
    quick = Thresholds(click_after_s=1.0, quarantine_s=2.0)
    assert judge([hit(2)], thresholds=quick)[0].verdict is Ruling.HUMAN
    assert counts_from(hit(2), thresholds=quick) == SENT + timedelta(seconds=4)


@pytest.mark.parametrize(
    ("one", "after_s"), [(hit(5), 30), (hit(20), 35), (hit(300), 315), (hit(5, delivered_at=None), 20)]
)
def test_a_click_counts_after_its_quarantine(one: Hit, after_s: float) -> None:
    assert counts_from(one) == SENT + timedelta(seconds=after_s)


events = st.builds(
    hit,
    st.floats(0, 2000),
    st.sampled_from(["", "1", "2", "3", "trap"]),
    message=st.sampled_from(["a", "b", ""]),
    ip=st.sampled_from(["192.0.2.1", "192.0.2.77", FAR]),
    ua=st.sampled_from([CHROME, "curl/8", MPP]),
    method=st.sampled_from(["GET", "GET", "HEAD"]),
    mangled=st.sampled_from([False, False, True]),
    honeypot=st.sampled_from([False, False, False, True]),
)


@settings(max_examples=150)
@given(st.lists(events, max_size=25), st.randoms())
def test_the_order_of_the_list_changes_nothing(hits: list[Hit], shuffler: random.Random) -> None:
    order = list(range(len(hits)))
    shuffler.shuffle(order)
    straight, shuffled = judge(hits), judge([hits[index] for index in order])
    assert [straight[index] for index in order] == shuffled


@settings(max_examples=150)
@given(st.lists(events, min_size=1, max_size=25))
def test_a_settled_verdict_stays(hits: list[Hit]) -> None:
    first = min(hits, key=lambda one: one.at)
    near = [one for one in hits if one.at <= settled_at(first) or one.mangled]
    assert judge(near)[near.index(first)] == judge(hits)[hits.index(first)]


def test_a_webmail_proxy_is_a_doubt_and_never_a_person() -> None:
    opens = [hit(100 + n, "", ua=GMAIL, message=f"g{n}", ip="66.249.84.1") for n in range(50)]
    assert set(rulings(*opens)) == {"unknown"}
