"""Most Popular: refresh 10,000 articles in four windows, against a recount of the same week.

Promise: at most 50 ms a refresh. A refresh takes in a batch of new clicks, moves one minute on and draws up the
best fifty of each list. The peer is the plain way: go over every (article, minute) of the week and sum.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections import Counter
from typing import Any

from pipeline.ranking.score import DAY, HOUR, Board, Count, Window

ARTICLES, CLICKS, PROMISE_MS, SHOWN, BATCH = 10_000, 400_000, 50.0, 50, 200
NOW = 29_923_920


def run(*, rounds: int = 120) -> dict[str, Any]:
    """Milliseconds a refresh takes, over the turn of an hour, and how much longer a recount takes."""
    chance = random.Random(20)
    board = Board(weights={"mail": 1})
    board.move(NOW)
    week = [_click(chance, NOW - chance.randrange(7 * DAY)) for _ in range(CLICKS)]
    board.add(week)
    took = []
    for minute in range(NOW, NOW + rounds):
        batch = [_click(chance, minute + 1) for _ in range(BATCH)]
        week += batch
        started = time.perf_counter()
        board.add(batch)
        board.move(minute + 1)
        lists = {window: board.top(window, limit=SHOWN) for window in Window}
        took.append((time.perf_counter() - started) * 1000)
    cells = Counter((one.article_id, one.minute) for one in week)
    recount_ms, recounted = _recount(cells, NOW + rounds)
    shown = {window: [one.value for one in lists[window]] for window in recounted}
    middle = statistics.median(took)
    return {
        "name": "popular",
        "promise_ms": PROMISE_MS,
        "refresh_ms": round(middle, 2),
        "worst_ms": round(max(took), 2),
        "kept": max(took) <= PROMISE_MS,
        "recount_ms": round(recount_ms, 1),
        "ratio": round(recount_ms / middle, 1),
        "equal_to_recount": shown == recounted,
        "articles": ARTICLES,
        "clicks": len(week),
        "cells": len(cells),
    }


def _click(chance: random.Random, minute: int) -> Count:
    """Half of all clicks go to the few, half to anyone, so that all articles stay on the board."""
    article = int(chance.paretovariate(0.7)) if chance.random() < 0.5 else chance.randrange(ARTICLES)
    return Count(article % ARTICLES, minute, "mail", 1)


def _recount(cells: Counter[tuple[int, int]], minute: int) -> tuple[float, dict[Window, list[int]]]:
    """The values shown in the three counted lists, and the milliseconds it took to find them without any state."""
    started = time.perf_counter()
    first = {
        Window.NOW: minute - HOUR + 1,
        Window.TODAY: minute - DAY + 1,
        Window.WEEK: (minute // HOUR - 167) * HOUR,
    }
    values: dict[Window, Counter[int]] = {window: Counter() for window in first}
    for (article, at), n in cells.items():
        for window, oldest in first.items():
            if at >= oldest:
                values[window][article] += n
    shown = {window: sorted(counts.values(), reverse=True)[:SHOWN] for window, counts in values.items()}
    return (time.perf_counter() - started) * 1000, shown


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
