"""Classes of change, as an editor would call them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.gates.changes import Kind, Said, kind_of

TEXT = (
    "The ministers met on Tuesday in Geneva. They agreed on a plan for the river ports. "
    "A second round will follow, said Ambassador Okafor, who led the talks with the harbour towns of the coast. "
    "Nobody raised the question of tolls, which had divided the delegations for most of the winter and the spring."
)
STORY = Said(
    "Ministers agree on a plan for river ports", "A second round will follow.", TEXT, "https://a.example/p.jpg"
)


def changed(**fields: object) -> Said:
    values = {name: getattr(STORY, name) for name in ("headline", "standfirst", "text", "picture", "markers")}
    return Said(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (STORY, None),
        (changed(text="  ".join(TEXT.split())), None),
        (changed(text=TEXT.replace("divided", "split")), Kind.COSMETIC),
        (changed(picture="https://a.example/q.jpg"), Kind.COSMETIC),
        (changed(headline="Ministers agree on plan for river ports"), Kind.COSMETIC),
        (changed(headline="Talks on tolls collapse in Geneva"), Kind.MATERIAL),
        (changed(text=TEXT + " Three of 14 towns have not signed."), Kind.MATERIAL),
        (changed(text=TEXT.replace("Okafor", "Okonkwo")), Kind.MATERIAL),
        (changed(text=TEXT.replace("They agreed", "They never agreed")), Kind.MATERIAL),
        (
            changed(text=TEXT + " " + "The harbour masters were pleased with the outcome of the talks. " * 2),
            Kind.MATERIAL,
        ),
        (changed(markers=frozenset({("correction", "Correction: the talks were in Geneva.")})), Kind.CORRECTION),
        (changed(text="", markers=frozenset({("retraction", "This article has been removed.")})), Kind.RETRACTION),
    ],
)
def test_a_change_has_the_class_an_editor_would_give_it(after: Said, kind: Kind | None) -> None:
    assert kind_of(STORY, after) is kind


def test_a_correction_that_stood_there_before_is_no_new_one() -> None:
    marked = changed(markers=frozenset({("correction", "Correction: x.")}))
    assert kind_of(marked, marked) is None


SAIDS = st.builds(
    Said, st.text(max_size=80), st.text(max_size=80), st.text(max_size=400), st.just(""),
    st.frozensets(st.tuples(st.sampled_from(["correction", "retraction"]), st.text(max_size=9)), max_size=2),
)  # fmt: skip


@given(SAIDS, SAIDS)
def test_every_difference_has_a_class_and_sameness_has_none(before: Said, after: Said) -> None:
    assert kind_of(before, before) is None
    if before.fingerprint != after.fingerprint:
        assert kind_of(before, after) is not None
