"""The sentence of every code, by what it is kept on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pipeline.desk.words import count, duration, place, readable
from pipeline.engagement.hits import RULES
from pipeline.kernel.pages import local

Params = Mapping[str, Any]
Sentence = str | Callable[[Params, str], str]  #: a pattern, or what makes it from parameters and a zone


def _day(params: Params, name: str, zone: str) -> str:
    """An instant kept as ISO text, on the newsletter's clock."""
    try:
        return local(datetime.fromisoformat(str(params[name])), zone)
    except ValueError:
        return str(params[name])


def _newest(params: Params, _: str) -> str:
    sections = ", ".join(place((key,)) for key in params.get("sections", ()))
    first = _ORDERED.get(str(params.get("order", "")), "newest")
    said = f"{first} {params['rank']} of {params['of']}" + (f" in {sections}" if sections else "")
    if relaxed := params.get("relaxed"):
        said += f"; more than {relaxed['most']} by {relaxed['name']}, for nothing else would have filled the place"
    return said + (" (its readers were alerted already)" if params.get("alerted") else "")


def _liked(params: Params) -> str:
    return f"number {params['place']} with readers ({WINDOWS.get(params['window'], params['window'])})"


def _no_room(params: Params, _: str) -> str:
    block = params.get("title") or f"block {params['block']} of this edition"
    return f"no room in {block}: {count(params['count'], 'newer story', 'newer stories')} took it"


_ORDERED = {"oldest": "oldest", "popular": "best read", "longest": "longest"}
WINDOWS = {
    "today": "today",
    "hour": "this hour",
    "day": "the last 24 hours",
    "week": "this week",
    "month": "this month",
}

#: Why an article is in an edition, or is not.
ITEM: Mapping[str, Sentence] = {
    "newest": _newest,
    "developed": lambda p, z: f"sent before and developed since; {_newest(p, z)}",
    "carried": lambda p, z: f"waited for room in the last edition; {_newest(p, z)}",
    "placed": "placed here by an editor",
    "lead_only": "left out because only the lead leaves: nobody approved the edition in time",
    "popular": lambda p, _: _liked(p),
    "filled_by_popular": lambda p, _: f"makes up the number: {_liked(p)}",
    "evergreen": "makes up the number: good at any time, and not sent before",
    "related": "the lead's own page points to it",
    "left_out": "left out by an editor; it is a candidate for the next edition",
    "killed": "killed by the newsroom",
    "not_announced": "may not be announced: it is older than our watch, too old, or waits for a person",
    "already_sent": lambda p, z: f"already sent on {_day(p, 'at', z)} and not changed since",
    "missed_cutoff": lambda p, _: (
        f"missed the cut-off by {duration(p['by_s'])}; it is a candidate for the next edition"
    ),
    "before_window": lambda p, z: f"older than this edition's window, which began {_day(p, 'since', z)}",
    "too_old": "older than {hours} h at the cut-off",
    "other_section": lambda p, _: f"in {place(p['sections']) or 'no section'}, which no block here takes",
    "excluded_section": lambda p, _: f"in {place(p['sections'])}, which this block leaves out",
    "other_topic": lambda p, _: f"not about {', '.join(p['topics'])}",
    "excluded_topic": lambda p, _: f"about {', '.join(p['topics'])}, which this block leaves out",
    "other_source": "from a site this block does not take",
    "block_left_out": lambda p, _: (
        f"{p.get('title') or 'block ' + str(p['block'])} had too few stories, so it is left out this time"
    ),
    "waited_too_long": "no room in {editions} editions running, so it is given up",
    "no_room": _no_room,
    "no_block": "this newsletter has no block for news",
}
#: Headings over those who were left out, by code.
WHY_NOT: Mapping[str, str] = {
    "missed_cutoff": "Missed the cut-off",
    "no_room": "No room",
    "waited_too_long": "No room for too long",
    "left_out": "Left out by an editor",
    "lead_only": "Only the lead leaves",
    "block_left_out": "Their block was left out",
    "other_topic": "Not about what a block takes",
    "excluded_topic": "About what a block leaves out",
    "other_source": "From other sites",
    "already_sent": "Already sent",
    "too_old": "Too old",
    "before_window": "Before this edition's window",
    "other_section": "No block takes their section",
    "excluded_section": "Section left out",
    "not_announced": "May not be announced",
    "killed": "Killed",
    "no_block": "No block for news",
}
EDITION: Mapping[str, Sentence] = {
    "below_minimum": "Only {found} of at least {minimum} stories were new. They stay candidates for the next edition.",
    "asks_below_minimum": "Only {found} of at least {minimum} stories are new. Approve it as it is, add some, or skip it.",
    "asks_short_block": "{block} has {found} of at least {minimum} stories. Approve it as it is, add some, or skip it.",
    "unusable_rule": "A rule of its newsletter cannot be used ({said}). Nothing was composed: correct the rule.",
    "unusable_design": "Its design cannot be rendered ({said}). Correct the design and compose again.",
    "preflight": "A check before sending failed. Correct it and compose again, or skip this edition.",
    "by_editor": "{who} skipped it: “{why}”.",
    "newsletter_paused": "Its newsletter was not running when its time came.",
    "taken_back": "It was taken back after approval; it does not leave before a person approves it again.",
    "cancelled": "An editor cancelled the rest of the send. What was accepted before cannot be recalled.",
    "holiday": lambda p, _: f"No edition that day: {p['why'] or 'the calendar says so'}.",
    "not_approved": "Nobody approved it by its time, so it is held; nothing was sent.",
    "late": "It could not leave in time: {why}.",
    "story_held": "A story of it may not leave now (held, embargoed or withdrawn). Release the story, or take it out.",
    "lead_only": "Nobody approved it by its time, so it was composed again with its lead alone.",
}
SEND: Mapping[str, Sentence] = {
    "audience_drift": "{frozen} readers were found, lately it was {expected}. Type the number to send it, or cancel.",
    "story_killed": "A story of it was killed while it was leaving, so it was paused. Go on without the story, or cancel.",
    "leaving_out": "A story of it was killed while it was leaving: what has not left is made again without it.",
    "counts_differ_after": "The counts after sending do not add up ({counts}). Nothing more leaves; look at the deliveries.",
    "counts_differ": "The frozen audience did not match its count ({counts}), so nothing was sent.",
    "paused": "An editor paused it.",
    "server_refused": "The mail server refused us, so it was paused: “{said}”",
    "server_away": "The mail server could not be reached; it is tried again by itself. It said: “{said}”",
}
POST: Mapping[str, Sentence] = {
    "refused": "The network refused it: “{said}”",
    "not_as_an_answer": "The network does not let us answer the post (“{said}”), so it is said in a post of its own.",
    "thread_cut": "Its first parts are live; the network refused the next (“{said}”), so the thread ends there.",
    "no_answer": "The network did not say whether it took this. The account is read back; it is never posted twice blindly.",
    "cannot_read_back": "It may be live, but the account cannot be read back (“{said}”). Look at the account before you repeat it.",
    "was_not_placed": "The account was read back and does not have it, so it is tried once more.",
    "gave_up": "Given up after {tries} tries; the network last said: “{said}”",
    "waiting": "It will be tried again: “{said}”",
    "story_withdrawn": "The story was withdrawn before this left.",
    "no_words": "No text of it fits this network (“{said}”). Change the template or post it by hand.",
    "stale": lambda p, _: (
        "It waited so long that it is not news any more."
        + (f" What it waited for: {readable(str(p['why']))}." if p.get("why") else "")
    ),
    "rules_unusable": "This account's rules cannot be meant: {said}. Mend them, then approve this post.",
    "asks_for_care": lambda p, _: (
        "A person must read it first"
        + (f": the story is about {', '.join(p['topics'])}" if p.get("topics") else "")
        + (f"; {', '.join(p['why'])}" if p.get("why") else "")
        + "."
    ),
    "changed_since": "The story changed after these words were approved, so they wait for approval again.",
    "embargo": lambda p, z: f"It is under embargo until {_day(p, 'until', z)}.",
    "limited": lambda p, z: f"The network asked this account to wait until {_day(p, 'until', z)}.",
    "quiet_hours": lambda p, z: f"Quiet hours until {_day(p, 'until', z)}.",
    "slot": lambda p, z: f"It waits for the next free slot, {_day(p, 'at', z)}.",
    "min_gap": lambda p, _: f"Posts of this account leave at least {duration(float(p.get('gap_s') or 0))} apart.",
    "per_hour": "This account posts at most {most} an hour.",
    "per_day": "This account posts at most {most} a day.",
    "breaking_gap": lambda p, _: f"Breaking news leaves at least {duration(float(p.get('gap_s') or 0))} apart.",
    "breaking_hour": "At most {most} breaking posts leave in an hour.",
    "no_turn": "No time in the next 40 days fits this account's rules. Look at its slots and quiet hours.",
    "moved": "A person moved it to this time.",
    "by_person": lambda p, _: (
        f"{p.get('who') or 'Somebody'} decided so" + (f": “{p['why']}”." if p.get("why") else ".")
    ),
    "budget_spent": "The money for this month does not reach: it costs ${usd}, and ${spent} of ${budget} are spent.",
    "kept_for_top": "The money left this month (this costs ${usd}) is kept for the {top} most read stories.",
    "network_spent": "The network says that what we paid for is used up: “{said}”",
    "reconnect": "The network does not take this account's keys any more (“{said}”). Connect the account again.",
    "thread_goes_on": "A part of this thread is out; the rest follows.",
    "cut_short": "The story was withdrawn when a part of this thread was out already.",
    "nothing_left_to_do": "The post that this was about is not there any more.",
    "not_there": "The post that this was about could not be found on the network: “{said}”",
    "gave_up_looking": "It may be live: the account could not be read in {tries} tries (“{said}”). Look at the account.",
    "seen_by_person": "{who} looked at the account and saw it there.",
    "confirm_delete": "The story was withdrawn. A person must confirm that this post is deleted.",
    "differs": "It is live, but reads otherwise than it was sent: “{live}”",
    "vanished": "It was posted, and is not there any more. Somebody may have deleted it on the network.",
}
ARTICLE: Mapping[str, Sentence] = {
    "first_look": "It was there when we first looked at the site, so it is not announced.",
    "same_story": "The same story as another article under a second address.",
    "renamed_by_site": "The site gave all its stories new names at once; this one was known before.",
    "news": "It may be announced.",
    "released": "A person released it: it may be announced.",
    "old": "It was {hours} h old when it came, too old to be news.",
    "before_baseline": lambda p, z: f"It is dated {_day(p, 'published', z)}, before we began to watch.",
    "republished": "Its dateline is {days} days older than its date: an old story published again.",
    "embargo": "It names an embargo (“{text}”). Only a person lifts one.",
    "retraction": "The page says it is withdrawn (“{text}”).",
    "burst": "{fresh} new stories within an hour, more than the {limit:.0f} this site is believed: an import or an accident?",
    "source_event": lambda p, z: (
        f"Held until {_day(p, 'until', z)}: {p.get('because') or 'the site changed in a way that asks for caution'}."
    ),
    "stopped": "Announcing was stopped for everything when its turn came.",
    "budget": "{announced} articles were announced today already, of {budget} allowed.",
    "gone_before_told": lambda p, _: (
        "The site took it back before it was announced"
        + (f": its page answers {p['status']}." if p.get("status") else ".")
    ),
    "another_story": "When it was to be announced, its page told another story (“{headline}”).",
    "marked_since": "When it was to be announced, its page said “{text}”.",
    "told_too_late": "It could not be announced while it was news.",
    "discarded": "A person decided that it is not news.",
    "killed": lambda p, _: (
        "A person took it out of everything that had not left yet" + (f": “{p['reason']}”." if p.get("reason") else ".")
    ),
    "gone": "The site took it back after it was announced: its page answers {status}.",
    "retracted": "The site withdrew it after it was announced.",
    "back": "Its page was missing for a while and answers again.",
}


def sentence(table: Mapping[str, Sentence], code: str, params: Params | None = None, *, zone: str = "UTC") -> str:
    """The sentence of a code; parameters it lacks and codes nobody knows give readable text, never an error."""
    found = table.get(code, readable(code))
    try:
        return found(params or {}, zone) if callable(found) else found.format_map(params or {})
    except (KeyError, TypeError, ValueError):
        return readable(code)


def rule(name: str) -> str:
    """Why a click or an open was not counted as a person's."""
    own = {
        "MAC": "The link's signature is not ours.",
        "LATE": "It arrived after its day was closed or removed, when nobody could say any more whether its reader was counted.",
        "": "No rule was kept.",
    }
    return RULES.get(name) or own.get(name) or readable(name)
