"""A sudden jump that one network made is not news: the story keeps its old place until it calms down.

Mail is left out: its votes are one for each letter, and a whole newsroom's readers may sit behind one address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from pipeline.engagement import tally
from pipeline.ranking.models import Chart
from pipeline.ranking.score import DAY, HOUR, Count, Window, minute_of

LEAST = 20  #: votes; below, a share says nothing
TIMES = 10  #: of the article's own usual
USUAL_LEAST = 2
SHARE = 0.6  #: of the votes, from one network
#: One network that leads this many stories at once is a proxy in front of everybody, not a crowd behind one story.
PROXY = 3
#: Minutes a list looks at, and how many minutes before tell what is usual.
_SPANS: Mapping[Window, tuple[int, int]] = {
    Window.NOW: (HOUR, DAY),
    Window.TRENDING: (HOUR, DAY),
    Window.TODAY: (DAY, 6 * DAY),
    Window.WEEK: (7 * DAY, 0),
}
Suspects = frozenset[int]


def held(counts: Iterable[Count], *, shown: Collection[int], now: datetime) -> dict[Window, Suspects]:
    """By window, the articles whose votes are a jump that one network made."""
    minute, kept = minute_of(now), list(counts)
    found: dict[Window, Suspects] = {}
    for span, before in set(_SPANS.values()):
        jumped = _jumped(kept, shown=set(shown), minute=minute, span=span, before=before)
        suspects = _of_one_network(jumped, since_minute=minute - span + 1)
        found.update({window: suspects for window, spans in _SPANS.items() if spans == (span, before)})
    return found


def places(chart: Chart, suspects: Suspects) -> dict[int, int | None]:
    """The best place each suspect may have in this list: the one it has, or none."""
    if not suspects:
        return {}
    stands = dict(chart.standings.filter(article_id__in=suspects).values_list("article_id", "place"))
    return {article: stands.get(article) for article in suspects}


def _jumped(counts: list[Count], *, shown: set[int], minute: int, span: int, before: int) -> dict[int, int]:
    """Articles with far more votes than they usually have in as long a time, and how many."""
    recent, earlier, outside = Counter[int](), Counter[int](), set[int]()
    for article, at, channel, n in counts:
        if article not in shown or at > minute:
            continue
        if at > minute - span:
            recent[article] += n
            if channel != tally.MAIL:
                outside.add(article)
        elif at > minute - span - before:
            earlier[article] += n
    usual = {article: earlier[article] * span / before if before else 0.0 for article in outside}
    return {
        article: recent[article]
        for article in outside
        if recent[article] >= max(LEAST, TIMES * max(usual[article], USUAL_LEAST))
    }


def _of_one_network(jumped: Mapping[int, int], *, since_minute: int) -> Suspects:
    if not jumped:
        return frozenset()
    loudest = tally.loudest_networks(article_ids=list(jumped), since_minute=since_minute)
    led = Counter(network for network, _ in loudest.values())
    return frozenset(
        article for article, (network, n) in loudest.items() if n > SHARE * jumped[article] and led[network] < PROXY
    )
