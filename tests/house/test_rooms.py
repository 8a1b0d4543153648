"""The house keeps its shape: room cards, small rooms, short files, honest names."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIPELINE = ROOT / "pipeline"
CARD = ("In:", "Out:", "Owns:", "Never:", "Promise:")
BANNED = {"utils", "helpers", "common", "misc", "services", "manager", "managers", "core"}
MOST_MODULES = 8
LONGEST_FILE = 400
MEDIAN_FILE = 120
#: Not modules of a room: the card itself, and the rows every room may have.
UNCOUNTED = {"__init__.py", "models.py"}


def packages() -> list[Path]:
    """Every directory of ours that holds modules, without the generated migrations."""
    found = {path.parent for top in ("pipeline", "workers") for path in (ROOT / top).rglob("*.py")}
    return sorted(found - {PIPELINE / "migrations"})


def rooms() -> list[Path]:
    return [path for path in packages() if path not in {PIPELINE, ROOT / "workers"}]


def sources() -> Iterator[Path]:
    for top in ("pipeline", "workers", "benchmarks", ".ci"):
        yield from (p for p in sorted((ROOT / top).rglob("*.py")) if "migrations" not in p.parts)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("room", packages(), ids=named)
def test_an_init_file_holds_a_docstring_and_nothing_else(room: Path) -> None:
    tree = ast.parse((room / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{named(room)} says nothing about itself"
    assert len(tree.body) == 1, f"{named(room)}/__init__.py holds code"


@pytest.mark.parametrize("room", [*rooms(), ROOT / "workers"], ids=named)
def test_a_room_card_says_what_comes_in_and_what_is_promised(room: Path) -> None:
    card = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    places = [card.find(word) for word in CARD]
    assert -1 not in places, f"{named(room)} lacks {[w for w, at in zip(CARD, places, strict=True) if at < 0]}"
    assert places == sorted(places), f"{named(room)} tells its card in another order than {CARD}"
    said = re.split("|".join(CARD), card)
    assert all(part.strip() for part in said), f"{named(room)} leaves a line of its card empty"


@pytest.mark.parametrize("room", rooms(), ids=named)
def test_a_room_keeps_at_most_eight_modules(room: Path) -> None:
    modules = sorted(path.name for path in room.glob("*.py") if path.name not in UNCOUNTED)
    assert len(modules) <= MOST_MODULES, f"{named(room)} lacks a wall: {len(modules)} modules, {modules}"


def test_no_file_has_a_name_that_means_nothing() -> None:
    everything = [*sources(), *packages(), *(ROOT / "tests").rglob("*.py")]
    vague = [named(path) for path in everything if path.stem in BANNED or path.stem == "base"]
    assert [path for path in vague if path != "pipeline/channels/base.py"] == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {named(path): length(path) for path in sources()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_half_of_the_files_are_short() -> None:
    lengths = [length(path) for path in sources()]
    assert statistics.median(lengths) < MEDIAN_FILE, f"median of {len(lengths)} files"


def test_no_model_saves_with_a_behaviour_of_its_own() -> None:
    """Rules live in verbs; a row that acts when it is saved acts behind somebody's back."""
    acting = [
        f"{named(path)}:{node.lineno}"
        for path in PIPELINE.rglob("models.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name in {"save", "delete", "clean"}
    ]
    assert acting == []


def test_nothing_is_done_by_django_signals() -> None:
    listening = [
        named(path)
        for path in PIPELINE.rglob("*.py")
        if re.search(r"^\s*(from|import) django\.(dispatch|db\.models\.signals)", path.read_text("utf-8"), re.M)
    ]
    assert listening == []
