"""One history, complete: what the models say is what the migrations make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "pipeline" / "migrations"


@pytest.fixture(scope="module")
def loader() -> MigrationLoader:
    """The files alone; no database is asked."""
    return MigrationLoader(None, ignore_no_migrations=True)


def test_there_is_one_app_and_one_folder_of_migrations() -> None:
    assert sorted({path.parent for path in (ROOT / "pipeline").rglob("migrations/*.py")}) == [FOLDER]
    assert {model._meta.app_label for model in apps.get_models() if model.__module__.startswith("pipeline")} == {
        "dateline"
    }


def test_the_history_has_one_end(loader: MigrationLoader) -> None:
    assert loader.detect_conflicts() == {}
    assert len(loader.graph.leaf_nodes("dateline")) == 1
    assert len(loader.graph.root_nodes("dateline")) == 1


def test_the_numbers_have_no_gap_and_no_twin() -> None:
    numbers = sorted(int(path.name[:4]) for path in FOLDER.glob("[0-9]*.py"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_migration_is_missing(loader: MigrationLoader) -> None:
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    changes = detector.changes(graph=loader.graph)
    said = {label: [op.describe() for one in found for op in one.operations] for label, found in changes.items()}
    assert said.get("dateline", []) == []


def test_every_model_is_called_in_the_roll() -> None:
    """A model the roll-call forgets has no table."""
    defined = {
        name
        for path in (ROOT / "pipeline").rglob("*/models.py")
        for name in re.findall(r"^class (\w+)\((?:models\.Model|AbstractBaseUser)", path.read_text("utf-8"), re.M)
    }
    assert defined == {model.__name__ for model in apps.get_app_config("dateline").get_models()}


@pytest.mark.django_db
def test_the_database_made_by_the_migrations_passes_djangos_checks() -> None:
    call_command("migrate", "--check", verbosity=0)
    call_command("check", "--fail-level", "WARNING", databases=["default"], verbosity=0)
