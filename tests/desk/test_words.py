from __future__ import annotations

from typing import Any

import pytest

from pipeline.articles.models import Article
from pipeline.delivery.models import Delivery, Send
from pipeline.desk import words
from pipeline.desk.editions import results
from pipeline.desk.stories import posts
from pipeline.editions.models import Edition
from pipeline.posts.models import Post


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("edition", Edition.State), ("send", Send.State), ("delivery", Delivery.State), ("post", Post.State), ("article", Article.State),
    ],
)  # fmt: skip
def test_every_state_has_a_badge(kind: str, states: Any) -> None:
    assert set(words.BADGES[kind]) == set(states.values)


def test_every_delivery_state_has_a_meaning() -> None:
    assert set(results.MEANS) == set(Delivery.State)


def test_every_post_state_but_posted_has_a_meaning() -> None:
    assert set(posts.MEANS) == set(Post.State) - {Post.State.POSTED}


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (200_000, "2 d")]
)
def test_a_span_is_told_in_its_largest_whole_unit(seconds: int, told: str) -> None:
    assert words.duration(seconds) == told
