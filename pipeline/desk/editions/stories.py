"""The stories of an edition as its page shows them: in their blocks with reasons, or left out with theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.desk import frame, words
from pipeline.desk.reasons import codes
from pipeline.editions.acts.merging import stands_of
from pipeline.editions.acts.ordering import arranged
from pipeline.editions.assemble import changed_since, site_words
from pipeline.editions.choosing.rules import GIVEN, POPULAR, RELATED, SPONSOR, Fallback, Rule, UnusableRule
from pipeline.editions.models import Block, Item

MOST_LEFT_OUT = 60  #: of one reason; the heading says how many there are
#: What a block without a title of its own is called.
KINDS = {"lead": "Lead", POPULAR: "Most Popular", RELATED: "More on this", "note": "Editor’s note"}
#: Picks that are in only because too few fitted.
MADE_UP = frozenset({"evergreen", "filled_by_popular"})
#: Codes under which nothing can be put in by hand.
NEVER = frozenset({"killed"})
_INSTEAD = {
    Fallback.SHORTEN: "it stays short",
    Fallback.EVERGREEN: "evergreens were to make up the number, as far as there are any",
    Fallback.POPULAR: "what readers liked was to make up the number, as far as there is any",
    Fallback.SKIP: "only what an editor placed is in it",
    Fallback.ASK: "after the cut-off a person is asked",
}


def title_of(block: Block) -> str:
    """What a block is called at the desk."""
    return block.title or KINDS.get(block.kind, block.kind.title())


def takers(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """The blocks stories can be put into. The first that is no lead is the one offered: nobody loses a lead by haste."""
    open_ = [block for block in blocks if block.kind not in GIVEN]
    offered = next((block for block in open_ if block.kind != "lead"), None)
    return [{"position": b.position, "title": title_of(b), "offered": b is offered} for b in open_]


def told(blocks: Sequence[Block], items: Iterable[Item], *, zone: str) -> list[dict[str, Any]]:
    """The newsletter's blocks in reading order, each with its rule as a sentence and its picks."""
    order, found, number = arranged(items), [], 0
    stood = stands_of(order)
    for block in blocks:
        picks, (rule, sentence) = order.get(block.position, []), _rule(block)
        shown = [
            _pick(item, number + n, zone=zone) | {"stood": stood[item.article_id]}
            for n, item in enumerate(picks, start=1)
        ]
        if shown:
            shown[0]["first"] = shown[-1]["last"] = True
        found.append(
            {
                "position": block.position,
                "title": title_of(block),
                "rule": sentence,
                "short": _short(rule, picks) if rule else "",
                "given": _given(block),
                "items": shown,
            }
        )
        number += len(picks)
    return found


def _rule(block: Block) -> tuple[Rule | None, str]:
    """A rule that cannot be used holds the edition; its page must still open."""
    try:
        rule = Rule.of(position=block.position, kind=block.kind, title=block.title, rule=block.rule)
    except UnusableRule as error:
        return None, f"its rule cannot be used: {error}"
    return rule, rule.sentence()


def _given(block: Block) -> str:
    """What stands in a block that no rule fills."""
    if block.kind not in GIVEN:
        return ""
    promised = str((block.rule.get("story") or {}).get("headline", "")) if block.kind == SPONSOR else ""
    return f"“{promised}”, as ordered." if promised else "Nothing was given for it; readers do not see it."


def _short(rule: Rule, picks: Sequence[Item]) -> str:
    """That a block found too few, and what became of it."""
    own = sum(item.code not in MADE_UP for item in picks)
    if rule.kind in GIVEN or own >= rule.minimum:
        return ""
    if not picks and rule.fallback is Fallback.SKIP:
        return f"Fewer than {rule.minimum} fit, so it is left out of this edition."
    made_up = f" It has {words.count(len(picks) - own, 'story', 'stories')} more by that." if len(picks) > own else ""
    return f"Only {own} of at least {rule.minimum} fit: {_INSTEAD[rule.fallback]}.{made_up}"


def _pick(item: Item, number: int, *, zone: str) -> dict[str, Any]:
    site = site_words(item.article) | {"alt": str(item.article.picture.get("alt", ""))}
    mine = {name: str(text) for name, text in item.overrides.items()}
    changed = changed_since(item)
    return _line(item, zone=zone) | {
        "number": number,
        "headline": mine.get("headline") or site["headline"],
        "tags": _tags(item),
        "pinned": item.pinned,
        "site": site,
        "mine": mine,
        "words": {**site, **mine},
        "shown": frame.safe_link(mine.get("picture") or site["picture"]),
        "changed": [
            {"name": name, "then": then, "now": now, "mine": mine[name]} for name, (then, now) in changed.items()
        ],
        "first": False,
        "last": False,
    }


def _line(item: Item, *, zone: str) -> dict[str, Any]:
    """What every story is told with, in or out."""
    article = item.article
    return {
        "id": article.id,
        "headline": article.headline,
        "url": frame.safe_link(article.url),
        "section": words.place(article.section_path),
        "place": (article.dateline or {}).get("place") or "",
        "published_at": article.published_at or article.first_seen_at,
        "why": codes.sentence(codes.ITEM, item.code, item.params, zone=zone),
    }


def _tags(item: Item) -> list[str]:
    known = (
        (item.pinned, "by hand"),
        (bool(item.label), item.label),
        (item.code == "carried", "carried over"),
        (bool(item.params.get("alerted")), "alerted"),
        (bool(item.overrides), "our own words"),
    )
    return [tag for holds, tag in known if holds]


def left_out(items: Iterable[Item], *, zone: str) -> list[dict[str, Any]]:
    """Near misses by reason, in the order of codes.WHY_NOT; the newest of each."""
    groups: dict[str, list[Item]] = {}
    for item in sorted((i for i in items if not i.picked), key=lambda i: i.article.first_seen_at, reverse=True):
        groups.setdefault(item.code, []).append(item)
    order = {code: n for n, code in enumerate(codes.WHY_NOT)}
    return [_group(code, groups[code], zone=zone) for code in sorted(groups, key=lambda c: order.get(c, len(order)))]


def _group(code: str, items: Sequence[Item], *, zone: str) -> dict[str, Any]:
    shown: list[Mapping[str, Any]] = [
        _line(item, zone=zone) | {"pinned": item.pinned, "waits": code == "no_room" and item.carried > 0}
        for item in items[:MOST_LEFT_OUT]
    ]
    return {
        "code": code,
        "title": codes.WHY_NOT.get(code, words.readable(code).capitalize()),
        "count": len(items),
        "act": None if code in NEVER else "Pull in" if code == "missed_cutoff" else "Put in",
        "open": code == "missed_cutoff",
        "items": shown,
    }
