from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.demo.world.habits import BROWSERS, PROXY, SCANNED, SCANNERS, Act, Link, Sight, interest, plan, sight

MAIL = """<html><body>
<a href="https://t.example/c/one"><img src="https://t.example/one.png" width="600" height="300" alt="A picture"></a>
<a href="https://t.example/c/one">Kenya’s envoy starts with the fish market</a> <a href="https://t.example/c/one">Read</a>
<a href="https://t.example/c/two">River pilots write the treaty</a>
<div style="display: none"><a href="https://t.example/c/trap">nothing</a></div>
<a href="mailto:desk@dispatch.example">Write to us</a> <a href="#top">Top</a> <a href="javascript:alert(1)">x</a>
<a href="https://t.example/u/leave">Unsubscribe</a> <a href="https://t.example/p/x">Manage preferences</a>
<img src="https://t.example/o/pixel" width="1" height="1" alt=""></body></html>"""
SEEN = sight(html_text=MAIL, unsubscribe="<mailto:leave@dispatch.example>, <https://t.example/u/header>")
STORIES = tuple(Link(f"https://t.example/c/{n}", f"Story number {n}") for n in range(8))
WIDE = Sight(STORIES, tuple(link.url for link in STORIES), "https://t.example/o/p")


def acts_of(reader: str, *, seen: Sight = WIDE, clicking: float = 0.35) -> tuple[Act, ...]:
    return plan(sight=seen, reader=reader, seed="seed", clicking=clicking, scale=1.0)


CROWD = {f"reader{n}@example.org": acts_of(f"reader{n}@example.org") for n in range(2000)}


def test_a_mail_shows_its_stories_once_under_their_longest_words() -> None:
    assert SEEN.stories == (
        Link("https://t.example/c/one", "Kenya’s envoy starts with the fish market"),
        Link("https://t.example/c/two", "River pilots write the treaty"),
    )
    assert SEEN.pixel == "https://t.example/o/pixel"


def test_machines_see_every_web_address_and_nothing_else() -> None:
    names = [url.rpartition("/")[2] for url in SEEN.every]
    assert names == ["one", "two", "trap", "leave", "x", "header"]


def test_people_never_follow_hidden_or_housekeeping_links() -> None:
    clicked = {
        act.url for n in range(500) for act in acts_of(f"r{n}@x.example", seen=SEEN, clicking=1) if act.kind == "click"
    }
    assert clicked == {"https://t.example/c/one", "https://t.example/c/two"}


@pytest.mark.parametrize(
    ("words", "is_story"),
    [
        ("The people who make the herders’ card work on a Sunday", True),
        ("مفكّرات الماء في عمّان: حين يكتب الجيران اتفاقهم بأيديهم", True),
        ("Why Ottawa’s longest-serving ambassador may leave the keys to a colleague", True),
        ("The Meridian Dispatch", False),
        ("More in Diplomatic News", False),
        ("Why am I getting this letter?", False),
        ("Leave The Meridian Dispatch’s morning letter", False),
        ("Read", False),
    ],
)
def test_a_story_is_told_from_a_button_by_its_words(words: str, is_story: bool) -> None:
    seen = sight(html_text=f'<p><a href="https://t.example/c/x">{words}</a></p>')
    assert bool(seen.stories) == is_story
    assert seen.every == ("https://t.example/c/x",)


def test_a_mail_without_html_gets_no_reaction() -> None:
    empty = sight(html_text="", unsubscribe="")
    assert empty == Sight((), (), "")
    assert all(acts_of(f"r{n}@x.example", seen=empty, clicking=1) == () for n in range(200))


def test_the_shares_are_as_promised() -> None:
    kinds = Counter(kind for acts in CROWD.values() for kind in {act.kind for act in acts})
    assert abs(kinds["scan"] / len(CROWD) - SCANNED) < 0.02
    assert abs(kinds["click"] / len(CROWD) - 0.35) < 0.04
    assert abs(kinds["proxy"] / len(CROWD) - 0.30) < 0.04
    assert kinds["open"] > kinds["click"]


def test_scanners_ask_for_everything_at_once_and_only_get_or_head() -> None:
    scans = [act for acts in CROWD.values() for act in acts if act.kind == "scan"]
    assert {act.method for act in scans} == {"GET", "HEAD"}
    assert {act.agent for act in scans} <= set(SCANNERS)
    assert max(act.after_s for act in scans) < 2
    assert {act.method for acts in CROWD.values() for act in acts if act.kind != "scan"} == {"GET"}


def test_proxies_fetch_the_pixel_at_once_as_apple_does() -> None:
    proxies = [act for acts in CROWD.values() for act in acts if act.kind == "proxy"]
    assert {(act.after_s, act.url, act.agent) for act in proxies} == {(0.0, WIDE.pixel, PROXY)}


def test_people_come_later_from_many_places_with_many_browsers() -> None:
    people = [act for acts in CROWD.values() for act in acts if act.kind in ("open", "click")]
    assert len(set(BROWSERS)) == 70
    assert len({act.agent for act in people}) == 70
    assert len({act.address.rpartition(".")[0] for act in people}) > 300
    assert all(act.address.startswith(("198.18.", "198.19.")) for act in people)
    assert min(act.after_s for act in people) > 0


def test_people_click_one_to_three_different_stories_after_opening() -> None:
    for acts in CROWD.values():
        clicks = [act for act in acts if act.kind == "click"]
        assert len({act.url for act in clicks}) == len(clicks) <= 3
        opened = [act.after_s for act in acts if act.kind == "open"]
        assert all(act.after_s > opened[0] for act in clicks if opened)


def test_interest_outweighs_place_in_the_mail() -> None:
    clicks = Counter(act.url for acts in CROWD.values() for act in acts if act.kind == "click")
    by_interest = max(STORIES, key=lambda link: interest(seed="seed", words=link.words))
    assert clicks.most_common(1)[0][0] == by_interest.url != STORIES[0].url
    assert [url for url, _ in clicks.most_common()] != [link.url for link in STORIES]


@given(st.text(max_size=40), st.text(max_size=20))
def test_interest_is_bounded_and_the_same_for_every_reader(words: str, seed: str) -> None:
    drawn = interest(seed=seed, words=words)
    assert 0.1 <= drawn <= 4.0
    assert drawn == interest(seed=seed, words=f"  {words} ")


def test_the_same_reader_and_mail_behave_the_same() -> None:
    assert acts_of("reader7@example.org") == CROWD["reader7@example.org"]
    assert (
        plan(sight=WIDE, reader="reader7@example.org", seed="other", clicking=1, scale=1)
        != CROWD["reader7@example.org"]
    )


def test_scale_shortens_the_waiting_of_people_alone() -> None:
    for reader, acts in list(CROWD.items())[:300]:
        swift = plan(sight=WIDE, reader=reader, seed="seed", clicking=0.35, scale=0)
        assert [act.url for act in swift] == [act.url for act in acts]
        assert all(act.after_s == 0 for act in swift if act.kind in ("open", "click"))
