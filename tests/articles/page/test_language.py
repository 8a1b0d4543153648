"""The language a story is in, against the one its theme was set up in."""

from __future__ import annotations

import pytest

from pipeline.articles.page.language import written_in
from pipeline.articles.read import read
from pipeline.sources.formats.entries import Entry

URDU = "وفاقی کابینہ نے جمعرات کو بندرگاہ کے نئے ٹرمینل کی منظوری دے دی ہے جس سے جہازوں کا انتظار آدھا رہ جائے گا۔ " * 3
ARABIC = "التقى الوفدان يوم الخميس في سوق سمك قديمة كانت القاعة الوحيدة في الميناء التي تتسع لأربعين مترجما. " * 3
ENGLISH = "The two delegations met on Thursday in a converted fish market, the only hall in the port. " * 4


def language_of(text: str, *, lang: str = "", told: str | None = None, whole: bool = False) -> str | None:
    entry = Entry(id="1", title="", language=told, is_whole=whole)
    html = f"<html lang='{lang}'><body><article><h1>T</h1><div class='entry-content'><p>{text}</p></div></article></body></html>"
    return read(html.encode(), url=None, entry=entry).language


@pytest.mark.parametrize(
    ("text", "lang", "language"),
    [
        (URDU, "en-US", "ur"), (URDU, "", "ur"), (URDU, "ur-PK", "ur-PK"), (URDU, "ps", "ps"), (ARABIC, "en", "ar"), (ARABIC, "ar-EG", "ar-EG"),
        (ENGLISH, "en_GB", "en-GB"), (ENGLISH, "ur", "ur"), (ENGLISH, "", None), (ENGLISH, "x' onload='y", None), (f"{ENGLISH} {URDU[:40]}", "en", "en"),
    ],
)  # fmt: skip
def test_letters_outweigh_what_a_theme_declares(text: str, lang: str, language: str | None) -> None:
    assert language_of(text, lang=lang) == language


def test_a_whole_entry_is_asked_first_and_a_feed_last() -> None:
    assert language_of(ENGLISH, lang="de", told="en-GB", whole=True) == "en-GB"
    assert language_of(ENGLISH, lang="de", told="en-GB") == "de"
    assert language_of(ENGLISH, told="en-GB") == "en-GB"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("港の協同組合は23日、四十年ぶりに灯台の灯を新しくすると発表した。費用は組合員が少しずつ出し合うという。", "ja"), ("渡轮公司星期四宣布，从五月一日起，每天两班渡轮将恢复运营，票价不变，欢迎市民乘坐，也欢迎带上自己的山羊和自行车一同过海。", "zh"), ("항구 협동조합은 23일 사십 년 만에 등대의 불을 새로 바꾼다고 발표했다. 비용은 조합원들이 조금씩 나누어 낸다고 한다.", "ko"),
        ("Паромная компания объявила, что с первого мая рейсы возобновятся, и это обрадовало всех жителей.", "ru"), ("Поромна компанія оголосила, що з першого травня рейси відновляться, і це втішило всіх її пасажирів.", "uk"), ("नदी के किनारे बसे गाँवों ने गुरुवार को तय किया कि नाव का किराया अब बातचीत से तय होगा।", "hi"), ("חברת המעבורות הודיעה ביום חמישי כי מהראשון במאי יחודשו ההפלגות לאיים.", "he"), ("short", None),
    ],
)  # fmt: skip
def test_a_script_gives_its_language_away(text: str, language: str | None) -> None:
    assert written_in(text)[1] == language
