from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.desk import words
from pipeline.desk.reasons import codes
from pipeline.engagement.hits import RULES
from pipeline.kernel.config import ROOT

CODE = re.compile(r"[a-z]+(_[a-z]+)*")
#: Which table speaks for the codes of which files; a file that does not exist yet has none.
SPEAKS = {
    "editions/choosing/select.py": codes.ITEM,
    "editions/choosing/bars.py": codes.ITEM,
    "editions/compose.py": codes.EDITION,
    "editions/acts/review.py": codes.EDITION,
    "schedule/plan.py": codes.EDITION,
    "schedule/release.py": codes.EDITION,
    "delivery/posting/publish.py": codes.POST,
    "delivery/posting/claim.py": codes.POST,
    "delivery/posting/reconcile.py": codes.POST,
    "delivery/posting/metrics.py": codes.POST,
    "posts/compose.py": codes.POST,
    "posts/acts/review.py": codes.POST,
    "posts/acts/corrections.py": codes.POST,
    "posts/rules/timing.py": codes.POST,
    "delivery/batches/claims.py": codes.SEND,
    "articles/gates/screen.py": codes.ARTICLE,
    "articles/gates/announce.py": codes.ARTICLE,
    "articles/gates/holds.py": codes.ARTICLE,
    "articles/revise.py": codes.ARTICLE,
    "sources/rehearsal/judging.py": codes.ARTICLE,
    "sources/rehearsal/stories.py": codes.ARTICLE,
    "articles/intake.py": codes.ARTICLE,
    "articles/identity/identify.py": codes.ARTICLE,
}


def set_in(source: str) -> set[str]:
    """Every code a module sets: `code=`, `"code":`, the code of a tuple with parameters, of a Decision."""
    return {found for node in ast.walk(ast.parse(source)) for found in _codes(node) if CODE.fullmatch(found)}


def _codes(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.keyword(arg="code", value=value):
            yield from _constants(value)
        case ast.Assign(targets=[ast.Name(id="code"), *_], value=value):
            yield from _constants(value)
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            yield from (
                c
                for key, value in pairs
                if isinstance(key, ast.Constant) and key.value == "code"
                for c in _constants(value)
            )
        case ast.Tuple(elts=[*_, ast.Constant(value=str(code)), ast.Dict() | ast.Lambda() | ast.Name(id="dict")]):
            yield code
        case ast.Return(value=ast.Tuple(elts=[ast.Attribute(), ast.Constant(value=str(code))])):
            yield code
        case ast.Call(func=ast.Name(id="Decision"), args=[_, ast.Constant(value=str(code)), *_]):
            yield code
        case ast.Call(func=ast.Name(id="_settle"), args=[_, _, ast.Constant(value=str(code)), *_]):
            yield code


def _constants(node: ast.AST) -> Iterator[str]:
    """The strings an expression can be; what it only compares with is not among them."""
    match node:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp(body=one, orelse=other):
            yield from (*_constants(one), *_constants(other))


#: Codes of stories that are in; every other one needs a heading over those left out.
IN = {"developed", "newest", "carried", "placed", "popular", "filled_by_popular", "evergreen", "related"}


@pytest.mark.parametrize("path", SPEAKS)
def test_every_code_a_room_sets_has_a_sentence(path: str) -> None:
    file = ROOT / "pipeline" / path
    assert not file.exists() or set_in(file.read_text(encoding="utf-8")) <= set(SPEAKS[path])


@pytest.mark.parametrize(
    ("path", "some"),
    [
        (
            "editions/choosing/select.py",
            {
                "newest",
                "developed",
                "popular",
                "placed",
                "evergreen",
                "no_room",
                "no_block",
            },
        ),
        ("editions/choosing/bars.py", {"killed", "missed_cutoff", "other_section", "too_old"}),
        ("editions/compose.py", {"below_minimum", "preflight"}),
        ("editions/acts/review.py", {"by_editor"}),
        (
            "delivery/posting/publish.py",
            {"refused", "no_answer", "gave_up", "gave_up_looking", "reconnect", "not_there", "thread_goes_on"},
        ),
        ("delivery/posting/claim.py", {"stale", "story_withdrawn", "cut_short", "rules_unusable"}),
        ("delivery/posting/reconcile.py", {"was_not_placed", "no_answer"}),
        ("posts/acts/review.py", {"by_person", "seen_by_person", "moved"}),
        ("posts/rules/timing.py", {"min_gap", "per_hour", "breaking_gap", "breaking_hour"}),
        ("delivery/batches/claims.py", {"server_refused", "server_away"}),
        ("articles/gates/announce.py", {"gone_before_told", "another_story", "marked_since", "told_too_late"}),
        ("articles/gates/holds.py", {"released", "discarded", "killed"}),
        ("articles/revise.py", {"gone", "retracted"}),
    ],
)
def test_the_scan_finds_the_codes_it_is_meant_to_find(path: str, some: set[str]) -> None:
    found = set_in((ROOT / "pipeline" / path).read_text(encoding="utf-8"))
    if path == "editions/acts/review.py":
        assert '"by_editor"' in (ROOT / "pipeline" / path).read_text(encoding="utf-8")
        found |= {"by_editor"}
    assert some <= found


ITEMS: list[tuple[str, Mapping[str, Any], str]] = [
    ("newest", {"rank": 2, "of": 14, "sections": ["Africa"]}, "newest 2 of 14 in Africa"),
    ("newest", {"rank": 2, "of": 14, "sections": ["west-africa"]}, "newest 2 of 14 in West Africa"),
    ("newest", {"rank": 1, "of": 3, "sections": []}, "newest 1 of 3"),
    ("developed", {"rank": 1, "of": 3, "sections": []}, "sent before and developed since; newest 1 of 3"),
    ("popular", {"place": 3, "window": "today"}, "number 3 with readers (today)"),
    ("already_sent", {"at": "2026-04-18T04:30:00Z"}, "already sent on Sat 18 Apr, 06:30 CEST and not changed since"),
    ("missed_cutoff", {"by_s": 250}, "missed the cut-off by 4 min; it is a candidate for the next edition"),
    ("before_window", {"since": "2026-04-18T04:10:00Z"}, "older than this edition's window, which began Sat 18 Apr, 06:10 CEST"),
    ("too_old", {"hours": 36}, "older than 36 h at the cut-off"),
    ("other_section", {"sections": ["World", "Europe"]}, "in World › Europe, which no block here takes"),
    ("other_section", {"sections": []}, "in no section, which no block here takes"),
    ("no_room", {"block": 2, "title": "Africa", "count": 2}, "no room in Africa: 2 newer stories took it"),
    ("no_room", {"block": 1, "title": "", "count": 1}, "no room in block 1 of this edition: 1 newer story took it"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "params", "told"), ITEMS)
def test_an_item_says_why_in_words(code: str, params: Mapping[str, Any], told: str) -> None:
    assert codes.sentence(codes.ITEM, code, params, zone="Europe/Brussels") == told


@pytest.mark.parametrize("code", codes.ITEM)
def test_every_reason_to_leave_out_has_a_heading(code: str) -> None:
    assert code in codes.WHY_NOT or code in IN


ARTICLES: list[tuple[str, Mapping[str, Any], str]] = [
    ("gone_before_told", {"status": 404}, "The site took it back before it was announced: its page answers 404."),
    ("gone_before_told", {}, "The site took it back before it was announced."),
    ("killed", {"reason": "wrong name"}, "A person took it out of everything that had not left yet: “wrong name”."),
    ("killed", {"reason": ""}, "A person took it out of everything that had not left yet."),
    ("gone", {"status": 410}, "The site took it back after it was announced: its page answers 410."),
    ("back", {}, "Its page was missing for a while and answers again."),
    ("another_story", {"headline": "Fish"}, "When it was to be announced, its page told another story (“Fish”)."),
]


@pytest.mark.parametrize(("code", "params", "told"), ARTICLES)
def test_an_article_says_what_became_of_it(code: str, params: Mapping[str, Any], told: str) -> None:
    assert codes.sentence(codes.ARTICLE, code, params) == told


TABLES = [codes.ITEM, codes.EDITION, codes.SEND, codes.POST, codes.ARTICLE]


@given(st.sampled_from(TABLES), st.text(), st.dictionaries(st.text(), st.none() | st.text() | st.integers()))
def test_an_unknown_code_stays_readable(table: Mapping[str, Any], code: str, params: dict[str, Any]) -> None:
    told = codes.sentence(table, code, params)
    assert "_" not in told or code in table or any("_" in str(value) for value in params.values())


@pytest.mark.parametrize(("table", "code"), [(table, code) for table in TABLES for code in table])
def test_a_code_without_its_parameters_still_gives_text(table: Mapping[str, Any], code: str) -> None:
    assert codes.sentence(table, code, None)


@pytest.mark.parametrize("name", [*RULES, "MAC", "LATE", ""])
def test_every_rule_has_a_sentence(name: str) -> None:
    assert codes.rule(name).endswith(".")
    assert codes.rule(name) != words.readable(name)
