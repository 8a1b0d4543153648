"""From published to posted and to an inbox, on the whole running system with a feed polled every second.

The peer is the poll interval itself: nothing that polls can be faster on average than half of it.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

from tests.journeys.house import House, built

STORIES, READERS, EDITION_EVERY_S, POLL_S = 20, 20, 10, 1


def run() -> dict[str, Any]:
    """Seconds, medians and 95th percentiles over STORIES stories."""
    with built() as house:
        house.open()
        _subscribe(house)
        time.sleep(1.5)
        published = dict(_publish(house) for _ in range(STORIES))
        house.until(lambda: len(house.network.posts) >= STORIES, 60, "every post")
        posted = [
            post.created_at.timestamp() - published[_headline(post.text, published)] for post in house.network.posts
        ]
        house.until(lambda: _mailed(house) >= STORIES, 120, "every story in a digest")
        mailed = _mail_times(house, published)
        house.stop()
    rows = [_row("publish to posted", posted), _row("publish to inbox (a digest every 10 s)", mailed)]
    return {
        "name": "latency",
        "rows": rows,
        "ratios": {"posted / poll interval": round(statistics.median(posted) / POLL_S, 2)},
    }


def _subscribe(house: House) -> None:
    file = house.data_dir / "readers.csv"
    file.write_text("email\n" + "".join(f"reader{n}@readers.example.org\n" for n in range(READERS)))
    every = ("--every", str(EDITION_EVERY_S), "--approval", "rules")
    house.dateline("create-newsletter", "Morning Brief", "--from", "brief@dispatch.example.org", *every)
    house.rows("UPDATE dateline_newsletter SET minimum = 1 RETURNING id")
    house.dateline("import-subscribers", str(file), "--topic", "morning-brief")


def _publish(house: House) -> tuple[str, float]:
    from datetime import UTC, datetime

    release = house.newsroom.publish_next(datetime.now(UTC))
    at = time.time()
    time.sleep(1.7)
    return release.story.title, at


def _headline(text: str, published: dict[str, float]) -> str:
    return next(title for title in published if title[:60] in text or text[:60] in title)


def _mailed(house: House) -> int:
    return int(house.one(
        """SELECT count(DISTINCT item.article_id) FROM dateline_item item JOIN dateline_send send USING (edition_id)
            WHERE item.picked AND item.code = 'newest' AND send.state = 'submitted'"""
    ))  # fmt: skip


def _mail_times(house: House, published: dict[str, float]) -> list[float]:
    rows = house.rows(
        """SELECT article.headline, extract(epoch FROM min(delivery.answered_at))::float FROM dateline_item item
             JOIN dateline_article article ON article.id = item.article_id JOIN dateline_send send USING (edition_id)
             JOIN dateline_delivery delivery ON delivery.send_id = send.id
            WHERE item.picked AND item.code = 'newest' GROUP BY 1"""
    )
    return [at - published[headline] for headline, at in rows if headline in published]


def _row(what: str, seconds: list[float]) -> dict[str, Any]:
    ordered = sorted(seconds)
    return {
        "what": what,
        "median_s": round(statistics.median(ordered), 2),
        "p95_s": round(ordered[int(len(ordered) * 0.95) - 1], 2),
        "n": len(ordered),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
