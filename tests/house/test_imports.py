"""The law of imports is kept, and its check can fail: violations are planted in a copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "samples"
LINTER = Path(sys.executable).with_name("lint-imports")
LAW = "The law of imports"
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>A</title><link>https://a.example/</link>
<item><title>One</title><link>https://a.example/1</link><guid>1</guid>
<pubDate>Mon, 23 Nov 2026 09:00:00 GMT</pubDate></item></channel></rss>"""
PAGE = "<!doctype html><html lang=en><head><title>One</title></head><body><article><h1>One</h1><p>Text.</p></article></body></html>"
RESPONSE = "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n" + FEED

#: (file, planted line, contract that must break)
PLANTS = [
    ("pipeline/kernel/signing.py", "import pipeline.desk.frame", LAW),
    ("pipeline/articles/gates/screen.py", "import pipeline.audience.addresses", LAW),
    ("pipeline/engagement/tally.py", "import pipeline.editions.models", LAW),
    ("pipeline/desk/frame.py", "import workers.app", "pipeline never imports workers"),
    ("pipeline/tracking/visit.py", "import django.http", "The tracking door cannot import Django"),
    ("pipeline/posts/variants.py", "import redis", "Pure modules"),
    ("pipeline/schedule/slots.py", "import django.utils.timezone", "Pure modules"),
]


def linted(root: Path) -> subprocess.CompletedProcess[str]:
    argv = [str(LINTER), "--no-cache", "--no-logo", "--verbose"]
    return subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False, timeout=120)


def copied(to: Path) -> Path:
    for name in ("pipeline", "workers"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", to)
    return to


def test_every_contract_is_kept() -> None:
    report = linted(ROOT)
    assert report.returncode == 0, report.stdout + report.stderr
    assert "0 broken" in report.stdout


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the check says about a house in which every planted import stands."""
    house = copied(tmp_path_factory.mktemp("house"))
    for file, line, _ in PLANTS:
        path = house / file
        path.write_text(f"{path.read_text('utf-8')}\n{line}\n", encoding="utf-8")
    report = linted(house)
    assert "Broken contracts" in report.stdout, "the check itself stopped: " + report.stdout[-400:] + report.stderr
    return report.stdout


@pytest.mark.parametrize(("file", "line", "contract"), PLANTS, ids=lambda value: str(value).split("/")[-1])
def test_a_forbidden_import_is_found(broken: str, file: str, line: str, contract: str) -> None:
    verdict, importer = [row for row in broken.splitlines() if row.startswith(contract)], file[:-3].replace("/", ".")
    assert any("BROKEN" in row for row in verdict), verdict
    imported = line.removeprefix("import ")
    place = f"(l.{len((ROOT / file).read_text('utf-8').splitlines()) + 2})"
    assert any(importer in row and imported.split(".")[0] in row for row in broken.splitlines() if place in row)


def test_a_room_without_a_floor_is_found(tmp_path: Path) -> None:
    house = copied(tmp_path)
    (house / "pipeline" / "attic").mkdir()
    (house / "pipeline" / "attic" / "__init__.py").write_text('"""No floor."""\n', encoding="utf-8")
    assert "- pipeline.attic" in linted(house).stdout.splitlines()


def loaded_after(code: str, *, stdin: str = "", cwd: Path = ROOT) -> set[str]:
    """The top-level packages a fresh interpreter has loaded when `code` is done. The code must succeed."""
    tail = "\nimport sys, json\nprint('\\n' + json.dumps(sorted({n.split('.')[0] for n in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], input=stdin, capture_output=True, text=True, cwd=cwd, timeout=60,
        check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_tracking_door_loads_neither_django_nor_celery() -> None:
    loaded = loaded_after("import pipeline.tracking.app")
    assert "pipeline" in loaded
    assert loaded & {"django", "celery", "kombu", "anymail"} == set()


def test_configuration_and_engines_load_no_django() -> None:
    assert "django" not in loaded_after("import pipeline.kernel.config, pipeline.kernel.processes.engines")


PURE_VERBS = {
    "read-feed": (["feed.xml"], ""),
    "read-page": (["page.html"], ""),
    "replay": (["responses"], ""),
    "measure-post": (["--network", "x"], '"A headline https://a.example/1"\n'),
    "classify-hits": ([], '{"at": "2026-11-23T09:00:00Z", "message": "m", "link": "1"}\n'),
    "read-bounce": ([str(SAMPLES / "bounces" / "dsn-no-mailbox.eml")], ""),
    "render-edition": (["--articles", str(SAMPLES / "edition.json"), "--newsletter", "morning", "--out", "made"], ""),
}  # fmt: skip


@pytest.mark.parametrize("verb", PURE_VERBS)
def test_a_pure_verb_does_its_work_without_django_or_celery(verb: str, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED, encoding="utf-8")
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "responses").mkdir()
    for number in ("01", "02"):
        (tmp_path / "responses" / f"{number}.http").write_text(RESPONSE, encoding="utf-8", newline="")
    arguments, stdin = PURE_VERBS[verb]
    argv = [verb, *arguments]
    code = f"from pipeline.__main__ import app\napp({argv!r}, prog_name='dateline', standalone_mode=False)"
    loaded = loaded_after(code, stdin=stdin, cwd=tmp_path)
    assert loaded & {"django", "celery", "kombu"} == set()
