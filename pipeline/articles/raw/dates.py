"""Instants as feeds and pages write them.

feedparser 6.0.14 reads an unknown zone such as PKT silently as UTC (five hours wrong for a newsroom in
Pakistan), an epoch `1795426623` as the year 1795, and knows neither `Nov 23, 2026 9:37 am` nor French months
(the watching reference 2.2). So dates are read here, and what had to be assumed is said.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

MAX_CHARS = 120
YEARS = range(1990, 2101)  #: outside of it a date is a fault, not a date


@dataclass(frozen=True, slots=True)
class Moment:
    """An aware UTC instant, and what was assumed to get it ("" when the text said everything)."""

    at: datetime
    doubt: str = ""


# One line a language: January to December, as written inside a date.
_MONTHS = """
january february march april may june july august september october november december
jan feb mar apr may jun jul aug sept oct nov dec
janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
januar februar marz april mai juni juli august september oktober november dezember
janner feber maerz april mai juni juli august september oktober november dezember
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
januari februari maart april mei juni juli augustus september oktober november december
januari februari mars april maj juni juli augusti september oktober november december
januari februari maret april mei juni juli agustus september oktober november desember
ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie
ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik
stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia
ιανουαριου φεβρουαριου μαρτιου απριλιου μαιου ιουνιου ιουλιου αυγουστου σεπτεμβριου οκτωβριου νοεμβριου δεκεμβριου
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня
يناير فبراير مارس ابريل مايو يونيو يوليو اغسطس سبتمبر اكتوبر نوفمبر ديسمبر
جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر
जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर
"""

# Minutes east of UTC. Where two zones share a name the commoner in news feeds is meant; the source's own
# zone is asked first (`CST` from a source in Shanghai is China's).
_ZONES: dict[str, int] = {
    name: minutes
    for minutes, names in {
        0: "z ut utc gmt wet", 60: "bst cet met wat west", 120: "cest mest eet sast cat", 180: "eest msk eat trt idt",
        210: "irst", 240: "gst azt amt", 270: "aft", 300: "pkt uzt mvt tjt tmt", 330: "ist slst", 345: "npt",
        360: "bdt btt almt", 390: "mmt", 420: "ict wib hovt", 480: "sgt myt pht hkt wita awst", 540: "jst kst wit",
        570: "acst", 600: "aest chst pgt", 630: "acdt", 660: "aedt", 720: "nzst fjt", 780: "nzdt",
        -150: "ndt", -210: "nst", -180: "adt brt art clst uyt", -240: "ast edt et clt vet bot pyt gyt", -300: "est cdt cot pet ect",
        -360: "cst mdt", -420: "mst pdt", -480: "pst akdt", -540: "akst", -600: "hst",
    }.items()
    for name in names.split()
}  # fmt: skip
_AMERICAN = {
    "et": "America/New_York",
    "ct": "America/Chicago",
    "mt": "America/Denver",
    "pt": "America/Los_Angeles",
}


def fold(text: str) -> str:
    """Lower case, compatibility forms, ASCII digits, no accents: what every table here is written in."""
    plain = unicodedata.normalize("NFKD", text).casefold().replace("ı", "i")
    kept = (c for c in plain if unicodedata.category(c) != "Mn")
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in kept)


def _month_table() -> dict[str, int]:
    table: dict[str, int] = {}
    clash: set[str] = set()
    for line in _MONTHS.split("\n"):
        for number, word in enumerate(fold(line).split(), 1):
            for end in range(3, len(word) + 1):
                if table.setdefault(word[:end], number) != number:
                    clash.add(word[:end])
    full = {word: n for line in _MONTHS.split("\n") for n, word in enumerate(fold(line).split(), 1)}
    return {word: number for word, number in table.items() if word not in clash} | full


MONTHS = _month_table()
_WORD = r"[^\s\d,.:/\-()]{3,14}\.?"
_ISO = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?:[t\s]+|$|(?=z|[+]))")
_ORDERED = re.compile(r"(?<!\d)(\d{4})[/.\-]\s?(\d{1,2})[/.\-]\s?(\d{1,2})(?!\d)")
_STAMP = re.compile(r"(?<!\d)(\d{4})(\d{2})(\d{2})(?=\d{6}(?!\d))")
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|º|o|\.)?[\s\-,]*(?:de\s+)?({_WORD})[\s\-,]*(?:de[l]?\s+)?(\d{{4}}|\d{{2}})(?![\d:])"
)
_MONTH_FIRST = re.compile(rf"({_WORD})[\s\-]*(\d{{1,2}})(?:st|nd|rd|th)?[\s\-,]+(\d{{4}}|\d{{2}})(?![\d:])")
_ASCTIME = re.compile(rf"({_WORD})\s+(\d{{1,2}})\s+\d{{1,2}}:\d{{2}}.{{0,20}}?\b(\d{{4}})(?!\d)")
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})([/.\-])(\d{1,2})\2(\d{4}|\d{2})(?![\d:])")
_TIME = re.compile(r"(?<![\d+\-:.])(\d{1,2})\s?[:h]\s?(\d{2})(?::(\d{1,2}))?(?:[.,]\d+)?(?:\s*([ap])\.?\s?m\b\.?)?")
_TIME_DOT = re.compile(
    r"(?<![\d+\-:.])(\d{1,2})\.(\d{2})(?!\d)()(?:\s*([ap])\.?\s?m\b\.?)?(?=\s*(?:uhr|wib|wita|wit|[ap]m|$))"
)
_TIME_HOUR = re.compile(r"(?<![\d+\-:.])(\d{1,2})()()\s*([ap])\.?\s?m\b\.?")
_TIME_COMPACT = re.compile(r"^(\d{2})(\d{2})(\d{2})?(?:[.,]\d+)?()(?=z|[+\-]|$)")
_OFFSET = re.compile(r"(?:\b(?:gmt|utc)\s?)?([+\-])(\d{1,2}):?(\d{2})?(?!\d)")
_ZONE_NAME = re.compile(r"\b(?!(?:uhr|hrs|hours|on|at)\b)[a-z]{1,5}\b")
_IANA = re.compile(r"\b([a-z]+/[a-z_]+)\b")
_CJK = (
    (re.compile(r"[上午오전]{2}\s*(?=\d)"), " am "), (re.compile(r"[下午오후]{2}\s*(?=\d)"), " pm "),
    (re.compile(r"(?<=\d)\s*[年년月월]\s*"), "-"), (re.compile(r"(?<=\d)\s*[日일](?:\s*\(?[月火水木金土日월화수목금토일]\)?(?!\d))?\s*"), " "),
    (re.compile(r"(?<=\d)\s*[时時点點시]\s*(?=\d)"), ":"), (re.compile(r"(?<=\d)\s*[分분秒초]\s*(?!\d)"), " "),
    (re.compile(r"(?<=\d)\s*[分분]\s*(?=\d)"), ":"),
)  # fmt: skip
_PREFIX_HALF = re.compile(r"\b([ap]m)\s+(\d{1,2}:\d{2}(?::\d{2})?)")


def parse(text: str, *, zone: tzinfo = UTC) -> Moment | None:
    """The instant a string names, or None. `zone` is the source's own, for strings that leave it out.

    A date that could mean two days (`03/04/2026`) is None: an undated article is held to its first sight,
    a wrongly dated one may be announced a month late.
    """
    plain = _plain(text)
    if (epoch := _epoch(plain)) is not None:
        return epoch
    found = _find_date(plain)
    if found is None:
        return None
    day, rest = found
    try:
        return _with_time(day, rest, zone)
    except (OverflowError, ValueError):
        return None


def month(word: str) -> int | None:
    """The month a word of any known language names: `Nov.`, `avril`, `Dezember`, `ноября`."""
    return MONTHS.get(fold(word).strip(" ."))


def _plain(text: str) -> str:
    plain = " ".join(fold(text[:MAX_CHARS].replace("−", "-").replace("오전", "上午").replace("오후", "下午")).split())
    plain = unicodedata.normalize("NFC", plain)
    if not plain.isascii():
        for pattern, instead in _CJK:
            plain = pattern.sub(instead, plain)
    return _PREFIX_HALF.sub(r"\2 \1", plain)


def _epoch(plain: str) -> Moment | None:
    if not re.fullmatch(r"\d{9,10}(?:\.\d+)?|\d{13}", plain):
        return None
    seconds = int(plain) / 1000 if len(plain) == 13 and plain.isdigit() else float(plain)
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=0)
    return Moment(at) if at.year in YEARS else None


def _find_date(plain: str) -> tuple[date, str] | None:
    """The day, and the text around it in which a time may stand."""
    for pattern, order in (
        (_ISO, "ymd"),
        (_STAMP, "ymd"),
        (_ORDERED, "ymd"),
        (_DAY_FIRST, "dmy"),
        (_MONTH_FIRST, "mdy"),
        (_ASCTIME, "mdy"),
    ):
        for match in pattern.finditer(plain):
            if day := _as_date(dict(zip(order, match.groups(), strict=True))):
                kept = plain if pattern is _ASCTIME else plain[: match.start()] + " " + plain[match.end() :]
                return day, kept.strip()
    return _slashed(plain)


def _as_date(parts: dict[str, str]) -> date | None:
    number = int(parts["m"]) if parts["m"].isdigit() else MONTHS.get(parts["m"].strip(" ."), 0)
    try:
        return _in_range(_year(parts["y"]), number, int(parts["d"]))
    except ValueError:
        return None


def _year(text: str) -> int:
    """RFC 822 wrote two digits: 90 to 99 are the last century's (RFC 5322 section 4.3, moved to our range)."""
    year = int(text)
    return year if len(text) == 4 else year + (1900 if year >= 90 else 2000)


def _in_range(year: int, month_: int, day: int) -> date | None:
    return date(year, month_, day) if year in YEARS else None


def _slashed(plain: str) -> tuple[date, str] | None:
    match = _SLASHED.search(plain)
    if match is None:
        return None
    first, mark, second, year = match.groups()
    one, two = int(first), int(second)
    if mark == "/" and one <= 12 and two <= 12 and one != two:
        return None
    day, month_ = (two, one) if mark == "/" and two > 12 else (one, two)
    try:
        found = _in_range(_year(year), month_, day)
    except ValueError:
        return None
    return (found, (plain[: match.start()] + " " + plain[match.end() :]).strip()) if found else None


def _with_time(day: date, rest: str, zone: tzinfo) -> Moment:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - given its zone below
    for pattern in (_TIME, _TIME_COMPACT, _TIME_DOT, _TIME_HOUR):
        if match := pattern.search(rest):
            break
    else:
        return Moment(midnight.replace(tzinfo=zone).astimezone(UTC), "no time")
    since = _since_midnight(*match.groups())
    if since is None:
        return Moment(midnight.replace(tzinfo=zone).astimezone(UTC), "impossible time")
    local = midnight + since
    where, doubt = _zone(rest[match.end() :], local, zone)
    return Moment(local.replace(tzinfo=where).astimezone(UTC), doubt)


def _since_midnight(hour: str, minute: str, second: str | None, half: str | None) -> timedelta | None:
    """24:00 is the end of its day (ISO 8601); a leap second counts as the one before."""
    h, m, s = int(hour), int(minute or 0), min(int(second or 0), 59)
    if half and 1 <= h <= 12:
        h = h % 12 + (12 if half == "p" else 0)
    if m > 59 or h > 24 or (h == 24 and (m or s)):
        return None
    return timedelta(hours=h, minutes=m, seconds=s)


def _zone(after: str, local: datetime, own: tzinfo) -> tuple[tzinfo, str]:
    """The zone named after a time; the source's own where none, or an unknown one, is named."""
    if re.match(r"\s?z\b", after):
        return UTC, ""
    if match := _OFFSET.search(after):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes <= 14 * 60:
            return timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes)), ""
    if (match := _IANA.search(after)) and (named := _iana(match[1])):
        return named, ""
    word = _ZONE_NAME.search(after)
    if word is None:
        return own, "no zone"
    return _abbreviated(word[0], local, own)


def _abbreviated(word: str, local: datetime, own: tzinfo) -> tuple[tzinfo, str]:
    if (own.tzname(local) or "").casefold() == word:
        return own, ""
    if word in _AMERICAN:
        return ZoneInfo(_AMERICAN[word]), ""
    if word in _ZONES:
        return timezone(timedelta(minutes=_ZONES[word])), ""
    return own, f"unknown zone {word.upper()}"


def _iana(name: str) -> tzinfo | None:
    try:
        return ZoneInfo("/".join(part.title() for part in name.split("/")).replace("_Of_", "_of_"))
    except (KeyError, ValueError, OSError):
        return None
