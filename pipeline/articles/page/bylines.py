"""Who wrote a story: the people of a byline, without desks, roles and `admin`."""

from __future__ import annotations

import re

_ROLE = re.compile(
    r"^(?:the )?(?:admin(?:istrator)?|editor(?:ial)?(?: team| board| staff| desk)?|staff(?: reporter| writer| report| correspondent)?s?|(?:our|[\w’']{2,20}) (?:staff |special )?(?:correspondent|reporter)s?|correspondent|reporter|news ?(?:desk|room|team|editor)|web ?(?:desk|team|editor|master)|(?:[\w&.-]+ ){0,3}(?:desk|bureau|newsroom|monitoring)|agencies|news agencies|monitoring (?:desk|report)|wire services?|guest(?: author| writer| contributor)?|contributor|anonymous|unknown|redaktion|la rédaction|redacción|redação|redazione|webmaster|root|user|author|super ?user|wp[-_ ]?admin|news)$",
    re.IGNORECASE,
)
_BY = re.compile(
    r"^\W{0,3}(?:(?:written|reported|posted|words|text|story|edited|compiled) )?(?:by|von|par|por|di|door)\b:?\s+",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:,|;|\||/|&|\band\b|\bund\b|\bet\b|•)\s*", re.IGNORECASE)
_AFTER_NAME = re.compile(r"\s*[(<\[].*$|\s*[-–—]\s.*$|\s+in\s+[A-Z].*$")
_ALSO_BY = re.compile(r"[,;.]?\s*\(?(?:with )?additional reporting (?:by|from)\s+", re.IGNORECASE)
_ROLE_AFTER = re.compile(
    r"^(?:(?:senior|chief|political|diplomatic|foreign|staff|special|sports|business|science|health|deputy|managing|our|the|associate|contributing|national|world|city) )*(?:correspondent|reporter|editor|writer|columnist|journalist|analyst|contributor|photographer|producer|bureau chief|fellow|author|in [A-Z].{2,30})$",
    re.IGNORECASE,
)


def bylines(text: str) -> tuple[str, ...]:
    """The people of a byline: without "By", desks and roles; those of additional reporting come last."""
    main, *added = _ALSO_BY.split(" ".join(text.split())[:500])
    names: list[str] = []
    for part in (main, *added):
        part = _BY.sub("", part.strip(" .()"))  # noqa: PLW2901 - its names are next
        for name in _BETWEEN.split(part):
            bare = _AFTER_NAME.sub("", _BY.sub("", name)).strip(" .:")
            if _is_name(bare):
                names.append(bare)
    return tuple(dict.fromkeys(names))


def _is_name(text: str) -> bool:
    if not 1 < len(text) <= 60 or _ROLE.match(text) or _ROLE_AFTER.match(text) or "@" in text or "://" in text:
        return False
    return any(character.isalpha() for character in text) and len(text.split()) <= 6 and not re.search(r"\d{2,}", text)
