"""Why a mail came back: from an enhanced code and what was said with it to a reason, and whether that lasts. Pure.

Suppressing a living reader is worse than writing once more to a dead address: what is not surely permanent, or may be
about us (x.7.x), is soft.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Kind(StrEnum):
    """What a returned mail means for the address: only `hard` and `complaint` may suppress it."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto-reply"
    NONE = "none"


# (reason, kind, words). What passes, or may be about us, comes before what lasts and is about the mailbox.
_REASONS: tuple[tuple[str, Kind, re.Pattern[str]], ...] = tuple(
    (reason, kind, re.compile(words, re.IGNORECASE))
    for reason, kind, words in (
        ("mailbox-full", Kind.SOFT, r"(?:mail ?box|inbox|user|account|recipient|storage|disk)\b.{0,40}\b(?:is |are |has )?(?:full|over ?quota|exceed)"
         r"|over (?:its |the |his )?(?:disk )?quota|quota (?:has been )?exceeded|exceeded (?:the |his |their |its )?(?:mailbox |storage |disk )?(?:quota|storage|limit)"
         r"|insufficient (?:disk|system) (?:space|storage)|out of storage|\bover ?quota|storage allocation|postfach (?:ist )?voll|bo[iî]te (?:.{0,40} )?pleine|buz[oó]n (?:.{0,40} )?lleno|casella (?:.{0,40} )?piena|容量|ящик переполнен"),
        ("temporary", Kind.SOFT, r"temporar(?:y|ily) (?:disabled|suspended|unavailable|rejected|inactive|locked)|verification in progress|verifying"),
        ("throttled", Kind.SOFT, r"rate (?:that|limit)|too (?:many|fast|much mail)|throttl|try(?:ing)? again later|temporarily deferred|unusual rate|\[TSS\d+\]|server busy|too busy"),
        ("greylisted", Kind.SOFT, r"gr[ae]y-?list"),
        ("policy", Kind.SOFT, r"spam|black ?list|block ?list|deny ?list|dnsbl|\brbl\b|\breputation\b|\bpolic(?:y|ies)\b|\bdmarc\b|\bdkim\b|\bspf\b|unauthenticated"
         r"|not authenticated|\bhelo\b|\behlo\b|sender domain|blacklisted|\bblocked\b|\bbanned\b|virus|malware|unsolicited|suspicious|blocked (?:using|by)|client host|(?<!not )listed (?:at|by|in|on)\b|relay(?:ing)? (?:access )?(?:is )?(?:denied|not)"
         r"|unable to relay|not permitted to relay|sender (?:address )?(?:rejected|denied|verif)|reverse dns|\bptr\b|access denied|not authori[sz]ed|content (?:rejected|filter)|message (?:content )?rejected"),
        ("too-big", Kind.SOFT, r"too (?:large|big)|size (?:limit|exceeds)|exceeds (?:the )?(?:maximum|size|fixed)|message size"),
        ("moved", Kind.HARD, r"\b(?:user|recipient|mailbox|he|she) has moved to\b"),
        ("no-domain", Kind.HARD, r"(?:host|domain)(?: or domain)?(?: name)? (?:was )?(?:not found|does not exist|unknown)|no such (?:host|domain)|unrouteable (?:mail )?domain|unknown (?:host|domain)"
         r"|couldn't find any host|(?:does|do) not accept mail|null ?mx|nxdomain|domain of .{0,60} does not exist|domain .{0,80} (?:couldn'?t|could not) be found"),
        ("no-mailbox", Kind.HARD, r"(?:user|recipient|mailbox|account|address|addressee|alias)\b.{0,60}\b(?:unknown|not (?:be )?found|does(?:n'?t| not) exist|not exist|not listed|invalid|not a valid)"
         r"|(?:unknown|no such|invalid|non-?existent|bad destination|undeliverable) (?:\w+ )?(?:user|recipient|mailbox|account|address|person|local)|no (?:such )?(?:mailbox|user|recipient)\b"
         r"|does(?:n'?t| not) have an? .{0,40}account|user .{0,60} not (?:known|exist)|unrouteable address|recipient address rejected|address rejected|nicht (?:gefunden|bekannt)|(?:empf[aä]nger|benutzer|adresse).{0,30}unbekannt"
         r"|utilisateur inconnu|destinataire (?:inconnu|invalide)|adresse .{0,30}inconnue|usuario desconocido|utente sconosciuto|宛先.{0,10}不明|not our customer"),
        ("disabled", Kind.HARD, r"(?:mail ?box|account|user|address|recipient)\b.{0,40}\b(?:disabled|deactivated|inactive|suspended|closed|terminated|no longer|discontinued|locked)|no longer (?:in use|available|works|active|with)"),
        ("unreachable", Kind.SOFT, r"timed? ?out|connection (?:refused|reset|lost|dropped)|could not connect|no route to host|network (?:is )?unreachable|wasn't able to establish|expired|too long in (?:the )?queue|retry timeout"),
    )
)  # fmt: skip

#: RFC 3463 detail -> reason. What is not here is judged by its words, then by its subject.
_DETAILS = {
    "1.1": "no-mailbox", "1.2": "no-domain", "1.3": "no-mailbox", "1.6": "moved", "1.10": "no-domain", "2.1": "disabled",
    "2.2": "mailbox-full", "2.3": "too-big", "3.1": "system-full", "3.4": "too-big", "4.7": "unreachable"}  # fmt: skip
_HARD_REASONS = frozenset({"no-mailbox", "no-domain", "disabled", "moved"})
_SUBJECTS = {"1": "address", "2": "mailbox", "3": "system", "4": "unreachable", "5": "protocol", "6": "content"}  # fmt: skip
CODE_OF_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.\-])([45]\d\d)(?=[\s-])")


def judged(*, status: str, words: str) -> tuple[Kind, str]:
    """Kind and reason of an answer: its enhanced code (RFC 3463, "" for none) and what was said with it.

    Never hard: x.7.x, 4.x, a full mailbox, and everything whose words speak of spam, policy, rates or size.
    """
    matches = ((name, kind) for name, kind, pattern in _REASONS if pattern.search(words))
    said, kind = next(matches, ("", Kind.SOFT))
    code = _CODE.search(words)
    if not status:
        lasting = kind is Kind.HARD and not (code and code[1][0] == "4")
        return (Kind.HARD if lasting else Kind.SOFT), said or "unknown"
    level, subject, detail = status.split(".")
    named = _DETAILS.get(f"{subject}.{detail}", "")
    if subject == "7":
        return Kind.SOFT, "policy" if level == "5" else said or "throttled"
    if level == "4" or (code and code[1][0] == "4" and code.start() == 0):
        return Kind.SOFT, said or named or _SUBJECTS.get(subject, "unknown")
    kinder = said if kind is Kind.SOFT else ""
    if named in _HARD_REASONS and kinder in ("", "unreachable"):
        # The words name it better: 5.1.10 is no domain (RFC 7505) or no mailbox (Exchange).
        return Kind.HARD, said if kind is Kind.HARD else named
    if subject in "014" and kind is Kind.HARD and (subject != "4" or said == "no-domain"):
        return Kind.HARD, said
    # 5.1.1 said of a full box, a rate or a blocklist: the words are believed, theirs is the kinder reading.
    named = "" if named in _HARD_REASONS else named
    return Kind.SOFT, named or kinder or _SUBJECTS.get(subject, "unknown")
