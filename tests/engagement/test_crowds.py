"""Stretches of one network's clicks, against a definition that looks at every stretch anew."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.engagement.crowds import Click, crowded

NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
SPAN, READERS, GAP, RATE = 20.0, 3, 2.0, 2.0
CLICKS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from("abcdefg"), st.sampled_from("xyzuvw")), max_size=30
).map(lambda rows: [Click(NOW + timedelta(seconds=s), reader, agent) for s, reader, agent in sorted(rows)])


def share(readers: int) -> float:
    return min(readers / 2, 4)


def plainly(clicks: list[Click], *, rented: bool) -> set[int]:
    found = set[int]()
    for high, last in enumerate(clicks):
        inside = [n for n in range(high + 1) if last.at - clicks[n].at <= timedelta(seconds=SPAN)]
        here = [clicks[n] for n in inside]
        short = sum(b.at - a.at < timedelta(seconds=GAP) for a, b in pairwise(here))
        programs = Counter(one.agent for one in here)
        mixed = 2 * max(programs.values()) < len(here) and len(programs) >= share(len({one.reader for one in here}))
        hasty = len(here) >= RATE * max(1.0, (last.at - here[0].at).total_seconds())
        is_crowd = len({one.reader for one in here}) > READERS and 2 * short > len(here) - 1
        if is_crowd and (rented or hasty or not mixed):
            found.update(inside)
    return found


@given(clicks=CLICKS, rented=st.booleans())
def test_a_crowd_is_found_as_by_looking_at_every_stretch(clicks: list[Click], rented: bool) -> None:
    found = crowded(
        clicks, span_s=SPAN, most_readers=READERS, gap_s=GAP, programs_of=share, most_per_s=RATE, rented=rented
    )
    assert found == plainly(clicks, rented=rented)
