"""Whose fault a refusal is. Pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels.base import Outcome, Receipt
from pipeline.delivery.blame import FIRST, IN_A_ROW, OF_FIRST, Blame

A, D, R, P = Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.REFUSED, Outcome.POLICY
CODES = {A: 250, D: 451, R: 550, P: 550, Outcome.UNKNOWN: 0, Outcome.UNSENT: 0}


def heard(*answers: Outcome | tuple[Outcome, str]) -> Blame:
    blame = Blame()
    for key, answer in enumerate(answers):
        outcome, group = answer if isinstance(answer, tuple) else (answer, "")
        receipt = Receipt(
            key, outcome, CODES[outcome], "5.7.1" if outcome is P else "", "your mail is spam", group=group
        )
        assert blame.holds(receipt) is (outcome is P)
    return blame


@pytest.mark.parametrize(
    ("answers", "ours"),
    [
        ([A] * 3 + [P] * (IN_A_ROW - 1), False),
        ([A] * 3 + [P] * IN_A_ROW, True),
        ([A] + [P] * (IN_A_ROW - 1) + [A] + [P] * (IN_A_ROW - 1), False),
        ([A] + [P, R, P, D] * 3, True),
        ([A, P, A, A, A] * (FIRST // 5), False),
        ([A, P, A, A, A] * (FIRST // 5 - 1) + [P, A, P, A], True),
        ([A] * FIRST + [P, A] * 200, False),
        ([R, P], False),
    ],
)
def test_many_refusals_are_ours_and_few_are_a_readers(answers: list[Outcome], ours: bool) -> None:
    blame = heard(*answers)
    assert bool(blame.said) is ours
    ended = blame.concluded(accepted_before=False)
    assert len(ended) == answers.count(P)
    assert {receipt.outcome for receipt in ended} == {Outcome.UNSENT if ours else R}


def test_each_provider_is_counted_by_itself() -> None:
    blame = heard(*[(P, f"d{n}.example") for n in range(IN_A_ROW)], (A, "google"))
    assert blame.said == ""
    blame = heard((A, "yahoo"), (P, "yahoo"), *[(P, "google"), (A, "yahoo")] * IN_A_ROW)
    assert blame.said == "google: 550 5.7.1 your mail is spam"
    assert [r.outcome for r in blame.concluded(accepted_before=False)] == [R] + [Outcome.UNSENT] * IN_A_ROW


def test_a_run_with_no_other_answer_at_all_is_ours_unless_others_were_accepted_before() -> None:
    assert [r.outcome for r in heard(P).concluded(accepted_before=False)] == [Outcome.UNSENT]
    assert [r.outcome for r in heard(P).concluded(accepted_before=True)] == [R]
    alone = heard(P, P)
    alone.concluded(accepted_before=False)
    assert alone.said


@given(st.lists(st.tuples(st.sampled_from(list(CODES)), st.sampled_from(["", "google", "yahoo"])), max_size=120))
def test_everything_held_comes_back_once(answers: list[tuple[Outcome, str]]) -> None:
    blame = heard(*answers)
    keys = [key for key, (outcome, _) in enumerate(answers) if outcome is P]
    ended = blame.concluded(accepted_before=True)
    assert [receipt.key for receipt in ended] == keys
    assert {receipt.outcome for receipt in ended} <= {R, Outcome.UNSENT}
    assert blame.concluded(accepted_before=False) == []


def test_the_fifth_of_the_first_is_a_fifth() -> None:
    assert OF_FIRST / FIRST == 0.2
