"""Spoilt pages: whatever happens to a sample, a Reading or one line comes out."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.articles.page.witnesses import Step
from pipeline.articles.read import UnusableInput, read, read_entry
from pipeline.commands.reading.read_page import as_json
from pipeline.sources.formats.entries import Entry
from tests.factories.mutations import mutated

SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "samples" / "pages").glob("*.html"))]
ADDRESSES = (None, "", "x", "http://[", "https://gazette.example/?p=1", "https://gazette.example/a/")


def survives(data: bytes, url: str | None) -> None:
    """Printable as an answer, too: half a character would break the command that prints it."""
    try:
        reading = read(data, url=url)
    except UnusableInput as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        assert json.dumps(as_json(reading), ensure_ascii=False).encode()


@pytest.mark.parametrize("seed", range(12))
def test_spoilt_pages_are_read_or_refused(seed: int) -> None:
    rng = Random(seed)
    for _ in range(60):
        survives(mutated(rng.choice(SAMPLES), rng, others=SAMPLES), rng.choice(ADDRESSES))


@given(st.randoms(use_true_random=False), st.sampled_from(SAMPLES), st.sampled_from(ADDRESSES))
@settings(max_examples=150)
def test_any_accident_to_a_page_is_survived(rng: Random, sample: bytes, url: str | None) -> None:
    survives(mutated(sample, rng, others=SAMPLES), url)


texts = st.text(max_size=40) | st.sampled_from(["\ud800", "http://[", "\x00", "<p>", "Also read: <a href='//['>x</a>"])
entries = st.builds(
    Entry,
    id=texts, title=texts, author=st.none() | texts, categories=st.tuples(texts), summary=st.none() | texts, content_html=st.none() | texts | st.sampled_from([sample.decode("utf-8", "replace") for sample in SAMPLES[:12]]),
    image=st.none() | texts, image_alt=st.none() | texts, image_credit=st.none() | texts, language=st.none() | texts, is_whole=st.booleans(),
    sections=st.tuples(st.builds(Step, name=texts, slug=texts, term_id=st.none() | st.integers())),
)  # fmt: skip


@given(entries, st.sampled_from(ADDRESSES))
def test_any_entry_is_read(entry: Entry, url: str | None) -> None:
    assert read_entry(entry, url=url).text is not None
    assert read(b"<html><p>x", url=url, entry=entry).text is not None
