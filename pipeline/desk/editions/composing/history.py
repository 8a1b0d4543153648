"""What changed in an edition, by whom, when; what can be taken back, and what was changed since somebody looked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pipeline.articles.models import Article
from pipeline.desk import words
from pipeline.desk.editions.stories import title_of
from pipeline.editions.acts import revisions
from pipeline.editions.models import Block, Edition, Item, Revision
from pipeline.staff.models import JournalEntry, User

MOST_SHOWN, MOST_SINCE = 25, 4
#: Acts as the journal keeps them, as a history shows them.
VERBS: Mapping[str, str] = {
    "approve": "approved it",
    "undo": "took the approval back",
    "skip": "skipped it",
    "rewrite": "changed the words",
    "compose_again": "had it composed again",
    "withdraw": "took a killed story out",
    "say_anew": "rendered it again with what the site changed since the approval",
    "ask_again": "took the approval back: the site changed a story",
    "place": "placed",
    "leave_out": "left out",
    "let_rules_decide": "let the rules decide about",
    "override": "wrote or dropped words of our own for",
    "alert": "raised the alert of",
    "draft_ready": "told the desk that a draft waits",
    "undo_change": "took a change back",
    "redo_change": "brought a change back",
    "restore": "went back to an earlier state",
    revisions.BEGUN: "the rules put it together",
}
LABELS: Mapping[str, str] = {
    "subject": "Subject",
    "preheader": "Preview line",
    "note": "Editor’s note",
    "headline": "headline",
    "standfirst": "standfirst",
    "picture": "picture",
    "alt": "words for the picture",
}
#: Why nothing can be taken back now, by the edition's state.
WHY_NOT: Mapping[str, str] = {
    Edition.State.APPROVED: "It is approved. Take the approval back above; then changes can be taken back again.",
    Edition.State.SENDING: "It is on its way. What mail servers accepted cannot be recalled; the rest can be paused.",
    Edition.State.SENT: "It was sent. What is in inboxes cannot be taken back.",
}
_BY_RULE = "as the rules decide"


def told(row: Edition, blocks: Iterable[Block], *, may: bool) -> dict[str, Any]:
    """The acts that can be taken back and brought back, and the list of changes with what each changed. Two queries."""
    rows = list(row.revisions.select_related("by").order_by("number"))
    done = [r for r in rows if not r.undone]
    undone = [r for r in rows if r.undone and done and r.number > done[-1].number]
    headlines = _headlines(rows)
    shown = [_act(r, headlines) | {"changes": _changes(before, r, blocks, headlines)} for before, r in _pairs(rows)]
    return {
        "undo": _act(done[-1], headlines) if may and len(done) > 1 else None,
        "redo": _act(undone[0], headlines) if may and undone else None,
        "seen": done[-1].number if done else 0,
        "list": shown[:MOST_SHOWN],
        "begun": _act(rows[0], headlines) if rows else None,
        "may": may,
        "why_not": "" if may else WHY_NOT.get(row.state, ""),
    }


def acts(row: Edition, items: Sequence[Item]) -> list[dict[str, Any]]:
    """Who did what to it, newest first, as the journal keeps it."""
    headlines = {item.article_id: item.article.headline for item in items}
    entries = JournalEntry.objects.filter(subject="edition", subject_id=row.id).select_related("actor").order_by("-id")
    return [
        {
            "at": e.at,
            "who": str(e.actor or "Dateline"),
            "what": VERBS.get(e.verb, words.readable(e.verb)),
            "story": headlines.get(e.detail["article"], "a story") if "article" in e.detail else "",
            "reason": e.reason,
            "letter": e.detail.get("letter", ""),
        }
        for e in entries[:MOST_SHOWN]
    ]


def since(edition_id: int, *, revision: int, but: User) -> str:
    """What others did since somebody looked, in a sentence; nothing where nobody did."""
    rows = Revision.objects.filter(edition_id=edition_id, number__gt=revision).exclude(by=but).exclude(by=None)
    found = list(rows.select_related("by").order_by("number"))
    headlines = _headlines(found)
    said = [sentence(_act(r, headlines)) for r in found]
    more = [f"{len(said) - MOST_SINCE} changes more"] if len(said) > MOST_SINCE else []
    return f"Meanwhile: {'; '.join([*said[-MOST_SINCE:], *more])}." if said and revision >= 0 else ""


def others(edition_id: int, *, revision: int, but: User) -> str:
    """Who changed it since, by name; no claim where it was a rule."""
    rows = Revision.objects.filter(edition_id=edition_id, number__gt=revision).exclude(by=but).exclude(by=None)
    names = list(dict.fromkeys(str(r.by) for r in rows.select_related("by").order_by("number")))
    return listed(names) if names else "Somebody else"


def listed(names: Sequence[str]) -> str:
    """A, B and C."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def sentence(act: Mapping[str, Any]) -> str:
    """An act in a few words."""
    story = f" “{act['story']}”" if act["story"] else ""
    return f"{act['who']} {act['what']}{story}" if act["who"] else f"{act['what']}{story}"


def _act(row: Revision, headlines: Mapping[int, str]) -> dict[str, Any]:
    of = row.body.get("article")
    return {
        "number": row.number,
        "at": row.at,
        "who": str(row.by) if row.by else "" if row.verb == revisions.BEGUN else "Somebody who left",
        "what": VERBS.get(row.verb, words.readable(row.verb)),
        "story": headlines.get(of, "a story") if of else "",
        "undone": row.undone,
    }


def _pairs(rows: Sequence[Revision]) -> list[tuple[Revision, Revision]]:
    """Each act with what stood before it, the newest first: what was taken back is nothing that a later one changed."""
    found, done = [], rows[:1]
    for before, row in pairwise(rows):
        base = before if row.undone else done[-1]
        found.append((base, row))
        done = done if row.undone else [*done, row]
    return found[::-1]


def _headlines(rows: Iterable[Revision]) -> dict[int, str]:
    ids = {int(key) for row in rows for key in row.body.get("stories", {})}
    ids |= {row.body["article"] for row in rows if row.body.get("article")}
    return dict(Article.objects.filter(id__in=ids).values_list("id", "headline")) if ids else {}


def _changes(
    before: Revision, after: Revision, blocks: Iterable[Block], headlines: Mapping[int, str]
) -> list[dict[str, str]]:  # fmt: skip
    """What differs between two states, field by field: then and now."""
    old, new = before.body["words"], after.body["words"]
    names = revisions.WORDS if old["edited"] or new["edited"] else ("note",)
    found = [_change(LABELS[name], old[name], new[name]) for name in names if old[name] != new[name]]
    was, now, titles = before.body["stories"], after.body["stories"], {b.position: title_of(b) for b in blocks}
    for key in [*now, *(key for key in was if key not in now)]:
        story = headlines.get(int(key), "a story")
        then, place = _place(was.get(key), titles), _place(now.get(key), titles)
        found += [_change(f"Place of “{story}”", then, place)] if then != place else []
        mine, ours = was.get(key, {}).get("overrides", {}), now.get(key, {}).get("overrides", {})
        for name in dict.fromkeys([*mine, *ours]):
            if mine.get(name) != ours.get(name):
                found.append(
                    _change(f"“{story}”: {LABELS[name]}", mine.get(name, "the site’s"), ours.get(name, "the site’s"))
                )
    return found


def _change(about: str, then: str, now: str) -> dict[str, str]:
    return {"about": about, "then": then or "nothing", "now": now or "nothing"}


def _place(story: Mapping[str, Any] | None, titles: Mapping[int, str]) -> str:
    if story is None or not story["pinned"]:
        return _BY_RULE
    if not story["picked"]:
        return "left out"
    return f"{titles.get(story['block'], 'a block that is gone')}, place {story['position']}"
