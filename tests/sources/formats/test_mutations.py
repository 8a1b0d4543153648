"""Spoilt feeds: whatever happens to a sample, a Feed of distinct entries or one line comes out."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.commands.reading.read_feed import as_json
from pipeline.sources.formats import feeds
from tests.factories.mutations import mutated

FOLDER = Path(__file__).parents[2] / "samples" / "feeds"
SAMPLES = [path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.stat().st_size < 60_000]
TYPES = ("", "text/html", "text/xml; charset=utf-16", "application/json; charset=x", "a; charset=idna")


def survives(data: bytes, content_type: str) -> None:
    try:
        feed = feeds.read(data, url="https://gazette.example/feed/", headers={"Content-Type": content_type})
    except feeds.UnusableInput as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        assert json.dumps(as_json(feed), ensure_ascii=False).encode()
        assert len({entry.id for entry in feed.entries}) == len(feed.entries)


@pytest.mark.parametrize("seed", range(12))
def test_spoilt_feeds_are_read_or_refused(seed: int) -> None:
    rng = Random(seed)
    for _ in range(80):
        survives(mutated(rng.choice(SAMPLES), rng, others=SAMPLES), rng.choice(TYPES))


@given(st.randoms(use_true_random=False), st.sampled_from(SAMPLES), st.sampled_from(TYPES))
@settings(max_examples=150)
def test_any_accident_to_a_feed_is_survived(rng: Random, sample: bytes, content_type: str) -> None:
    survives(mutated(sample, rng, others=SAMPLES), content_type)
