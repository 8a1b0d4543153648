"""The 41 positive and 18 negative forms of the watching reference section 6, and what decides between them."""

from __future__ import annotations

import html as entities
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.datelines import Dateline, find

TEXT = "The council said on Friday that talks would go on."
NEAR = date(2024, 4, 20)

POSITIVE = [
    ("Tokyo, 19 April 2024 (TDI):", "Tokyo", date(2024, 4, 19), "TDI"),
    ("WASHINGTON, Nov 3 (Reuters) -", "WASHINGTON", date(2023, 11, 3), "Reuters"),
    ("MOSCOW (AP) —", "MOSCOW", None, "AP"),
    ("BEIRUT, Lebanon, June 2 —", "BEIRUT, Lebanon", date(2024, 6, 2), None),
    ("LONDON —", "LONDON", None, None),
    ("SEOUL, South Korea —", "SEOUL, South Korea", None, None),
    ("LOS ANGELES (Reuters) -", "LOS ANGELES", None, "Reuters"),
    ("KHAN YOUNIS, GAZA —", "KHAN YOUNIS, GAZA", None, None),
    ("WEST PALM BEACH —", "WEST PALM BEACH", None, None),
    ("ST CATHERINE, Jamaica —", "ST CATHERINE, Jamaica", None, None),
    ("ST. JOSEPH, Mich. (AP) —", "ST. JOSEPH, Mich.", None, "AP"),
    ("BUFFALO, N.Y. —", "BUFFALO, N.Y.", None, None),
    ("SOUTHWEST MIAMI-DADE, FLA. (WSVN) -", "SOUTHWEST MIAMI-DADE, FLA.", None, "WSVN"),
    ("HONOLULU, Hawaii (HawaiiNewsNow) -", "HONOLULU, Hawaii", None, "HawaiiNewsNow"),
    ("DUBAI, United Arab Emirates —", "DUBAI, United Arab Emirates", None, None),
    ("KOBE –", "KOBE", None, None),
    ("AUSTIN (KXAN) —", "AUSTIN", None, "KXAN"),
    ("BERLIN --", "BERLIN", None, None),
    ("Hamburg (dpa/lno) –", "Hamburg", None, "dpa/lno"),
    ("Montpellier (SID) –", "Montpellier", None, "SID"),
    ("Wien, 14. Dezember 2021 –", "Wien", date(2021, 12, 14), None),
    ("Düsseldorf, 22. November 2022 -", "Düsseldorf", date(2022, 11, 22), None),
    ("BANGKOK:", "BANGKOK", None, None),
    ("ISLAMABAD, Apr 19 (APP):", "ISLAMABAD", date(2024, 4, 19), "APP"),
    ("ISLAMABAD:", "ISLAMABAD", None, None),
    ("BEIJING, April 19 (Xinhua) --", "BEIJING", date(2024, 4, 19), "Xinhua"),
    ("New Delhi, Apr 19 (PTI)", "New Delhi", date(2024, 4, 19), "PTI"),
    ("Geneva/New York, 19 April 2024 –", "Geneva/New York", date(2024, 4, 19), None),
    ("WASHINGTON/BEIJING, May 1 (Reuters) -", "WASHINGTON/BEIJING", date(2024, 5, 1), "Reuters"),
    ("PARIS, 19 avril 2024 (AFP) -", "PARIS", date(2024, 4, 19), "AFP"),
    ("QUEZON CITY, Philippines –", "QUEZON CITY, Philippines", None, None),
    ("ABOARD AIR FORCE ONE (AP) —", "ABOARD AIR FORCE ONE", None, "AP"),
    ("UNITED NATIONS (AP) —", "UNITED NATIONS", None, "AP"),
    ("N’DJAMENA, Chad, April 19, 2024 —", "N’DJAMENA, Chad", date(2024, 4, 19), None),
    ("SAN JOSÉ, Costa Rica (AP) —", "SAN JOSÉ, Costa Rica", None, "AP"),
    ("Addis Ababa, 19 April 2024 (ENA):", "Addis Ababa", date(2024, 4, 19), "ENA"),
    ("RIYADH, 10 Shawwal 1445, April 19, 2024, SPA --", "RIYADH", date(2024, 4, 19), "SPA"),
    ("JAKARTA, KOMPAS.com -", "JAKARTA", None, "KOMPAS.com"),
    ("東京 19日 ロイター -", "東京", date(2024, 4, 19), "ロイター"),
    ("(Reuters) -", "", None, "Reuters"),
    ("Rostow (Russland) -", "Rostow, Russland", None, None),
]  # fmt: skip

ALSO = [
    ("[東京 19日 ロイター]", "東京", date(2024, 4, 19), "ロイター"),
    ("新华社北京4月19日电", "北京", date(2024, 4, 19), "新华社"),
    ("МОСКВА, 19 апр - РИА Новости.", "МОСКВА", date(2024, 4, 19), "РИА Новости"),
    ("МОСКВА, 19 апреля. /ТАСС/.", "МОСКВА", date(2024, 4, 19), "ТАСС"),
    ("القاهرة (رويترز) -", "القاهرة", None, "رويترز"),
    ("اسلام آباد:", "اسلام آباد", None, None),
    ("ISLAMABAD.—", "ISLAMABAD", None, None),
    ("McALLEN, Texas (AP) —", "McALLEN, Texas", None, "AP"),
    ("KABUL, Afghanistan (AP) —", "KABUL, Afghanistan", None, "AP"),
    ("Berlin (dpa) -", "Berlin", None, "dpa"),
    ("NEW YORK and LONDON, 1 May 2024 —", "NEW YORK/LONDON", date(2024, 5, 1), None),
    ("Lahore, Friday, 19 April 2024 –", "Lahore", date(2024, 4, 19), None),
    ("BRASÍLIA, 19 de abril de 2024 (EFE) -", "BRASÍLIA", date(2024, 4, 19), "EFE"),
    ("TOKYO | ", "TOKYO", None, None),
]  # fmt: skip

NEGATIVE = [
    "MSM MIA: The Ukrainian army has been", "MORE: Black-led group calls", "MIGRATION – Probleme an der Grenze",
    "L.A. WEEKLY: What is your view?", "MIRA: Madre e hijo", "NFF: TINE og Norske", "VATIKAN: Eltern sollen",
    "Mikaela Shiffrin (USA/Ski alpin): Mit 18 Jahren", "BRAUNGART, Richard: Neue Wege", "(EDIT: removed the name)",
    "UPDATE: The road is open", "WATCH: The goal", "EXCLUSIVE — The minister said", "OPINION — We must act",
    "CORRECTION: An earlier version", "Prime Minister X (PML-N) - said", "NATO (1949) - the alliance", "Q: What is it?",
]  # fmt: skip

ALSO_NOT = [
    "PARIS SAINT-GERMAIN — the club said", "LONDON BRIDGE: a history", "SYDNEY: I never said that", "LONDON 2012: what is left",
    "Friday, 19 April 2024 - The council met", "London - the city that never", "He said: we go", "INDIA: a country of", "", ":", "—",
    "Updated, 19 April 2024 – The council", "April 19, 2024 — The council met", "ISLAMABAD HIGH COURT: The judge",
    "John Smith (AP) — hears", "BREAKING NEWS — Fire", "EU (AP): nothing", "TOKYO, a city of millions: what it",
]  # fmt: skip


@pytest.mark.parametrize(("head", "place", "day", "agency"), POSITIVE + ALSO)
def test_a_form_newsrooms_use_is_found(head: str, place: str, day: date | None, agency: str | None) -> None:
    assert find(f"{head} {TEXT}", near=NEAR) == Dateline(place, day, agency, TEXT)


@pytest.mark.parametrize("text", NEGATIVE + ALSO_NOT)
def test_a_lead_word_is_not_a_place(text: str) -> None:
    assert find(text, near=NEAR) is None


def test_the_references_forms_are_all_here() -> None:
    assert (len(POSITIVE), len(NEGATIVE)) == (41, 18)


@pytest.mark.parametrize(("head", "place", "day", "agency"), POSITIVE + ALSO[:1] + ALSO[2:])
@pytest.mark.parametrize("shape", ["<p>{} {}</p>", "<p><strong>{}</strong> {}</p>", "<p><b>{}</b>{}</p>"])
def test_a_form_is_found_however_it_is_set(
    shape: str, head: str, place: str, day: date | None, agency: str | None
) -> None:
    markup = shape.format(entities.escape(head.strip()), TEXT)
    text = entities.unescape(re.sub(r"<[^<>]*>", "", markup))
    assert find(text, html=markup, near=NEAR) == Dateline(place, day, agency, TEXT)


@pytest.mark.parametrize("text", NEGATIVE)
def test_a_lead_word_in_bold_is_no_place_either(text: str) -> None:
    first, _, rest = text.partition(" ")
    for markup in (f"<p><strong>{text}</strong></p>", f"<p><strong>{first}</strong> {rest}</p>"):
        assert find(text, html=markup, near=NEAR) is None
    assert find(text, strong=True, near=NEAR) is None


def test_a_bold_sentence_is_no_evidence() -> None:
    text = "London - the city that never stops, he said."
    assert find(text, html=f"<p><strong>{text}</strong></p>") is None


def test_a_dateline_may_stand_alone() -> None:
    assert find("New Delhi, Apr 19 (PTI)", near=NEAR) == Dateline("New Delhi", date(2024, 4, 19), "PTI", "")
    assert find("Tokyo, 19 April 2024 (TDI):", near=NEAR) == Dateline("Tokyo", date(2024, 4, 19), "TDI", "")


def test_a_day_without_a_year_stays_open_when_nothing_is_near() -> None:
    found = find(f"WASHINGTON, Nov 3 (Reuters) - {TEXT}")
    assert found is not None
    assert found.date is None


def test_the_year_is_the_nearest_one_around_new_year() -> None:
    found = find(f"WASHINGTON, Dec 31 (Reuters) - {TEXT}", near=date(2025, 1, 1))
    assert found is not None
    assert found.date == date(2024, 12, 31)


def test_bold_type_is_evidence_for_a_place_in_small_letters() -> None:
    text = f"London: {TEXT}"
    assert find(text) is None
    assert find(text, html=f"<p><strong>London:</strong> {TEXT}</p>") == Dateline("London", None, None, TEXT)
    assert find(f"Update: {TEXT}", strong=True) is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = find(text, html=text, near=NEAR)
    assert found is None or found.rest in " ".join(text.replace("\u200b", "").replace("\ufeff", "").split())


@given(
    st.lists(
        st.sampled_from(
            [
                "LONDON",
                "Paris",
                ", ",
                " (AP)",
                " - ",
                ": ",
                "—",
                "19 April",
                "2024",
                "/",
                " and ",
                "(",
                ")",
                "UPDATE",
                "Nov 3",
                "東京",
            ]
        ),
        max_size=12,
    )
)
def test_any_mix_of_the_grammars_own_words_is_read_without_an_error(words: list[str]) -> None:
    found = find("".join(words), near=NEAR)
    assert found is None or found.place or found.agency
