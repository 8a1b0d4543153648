"""What is committed: nothing of one machine, nothing unfinished, locks that hold, papers that tell the truth."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IGNORED = {".git", ".venv", "var", "build", "__pycache__"}
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yml",
    ".txt",
    ".html",
    ".mjml",
    ".css",
    ".js",
    ".xml",
    ".json",
    ".lock",
    ".svg",
    ".example",
    "",
}
CODE = {".py", ".html", ".mjml", ".css", ".js", ".toml", ".yml"}
LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
THIS = Path(__file__).resolve()

# Spelled in pieces, so that this file does not find itself.
MACHINE = re.compile(r"(?<![\w.:/-])/(?:ro" r"ot|wo" r"rk|Use" r"rs/\w+|ho" r"me/\w+)/")
INDEXES = re.compile("|".join(("py" r"pi\.", "pythonhosted", "npm" r"js\.", "devpi", "test" r"py" "pi")), re.I)
INDEX_OPTIONS = re.compile(r"^\s*(?:-i|-f|--(?:extra-)?index-url|--find-links|--trusted-host)\b", re.M)
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|\bNotImplemented" r"Error\b")


def committed() -> list[Path]:
    """Files git knows or would take; without git, everything that is not generated."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"],  # noqa: S607 - whichever git this machine has
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split("\0")  # fmt: skip
        found = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        found = [p for p in ROOT.rglob("*") if not IGNORED & set(p.relative_to(ROOT).parts)]
    return sorted(path for path in found if path.is_file())


def texts(*suffixes: str) -> dict[str, str]:
    """Path below the root -> content, for files that are text."""
    wanted = set(suffixes) or TEXT
    paths = [p for p in committed() if p.suffix in wanted and p.resolve() != THIS]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8", errors="replace") for path in paths}


def places(pattern: re.Pattern[str], files: dict[str, str]) -> list[str]:
    return [
        f"{name}:{content.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for name, content in files.items()
        for found in pattern.finditer(content)
    ]


def paper(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_walk_sees_the_repository() -> None:
    seen = set(texts())
    assert {"pyproject.toml", "Makefile", "pipeline/kernel/queue.py", "docs/design.md", ".env.example"} <= seen


def test_no_path_of_one_machine_is_committed() -> None:
    assert places(MACHINE, texts()) == []


def test_no_package_index_is_named() -> None:
    assert places(INDEXES, texts()) == []
    assert places(INDEX_OPTIONS, {name: paper(name) for name in LOCKS}) == []


def test_nothing_is_left_for_later_in_the_code() -> None:
    assert places(UNFINISHED, texts(*CODE)) == []


def test_every_silenced_warning_names_itself() -> None:
    files = texts(".py")
    assert places(re.compile(r"# type: ignore(?!\[)"), files) == []
    assert places(re.compile(r"# noqa(?!: [A-Z]+[0-9]+)"), files) == []


def test_nothing_generated_is_committed() -> None:
    names = [str(path.relative_to(ROOT)) for path in committed()]
    generated = re.compile(r"(\.py[co]|\.egg-info/.*|\.so|\.whl|\.sqlite3?|\.DS_Store|(^|/)node_modules/.*)$")
    assert [name for name in names if generated.search(name)] == []


def test_every_paper_a_comment_points_to_exists() -> None:
    """A pointer to notes that only their author has is worse than none."""
    pointer = re.compile(r"(?<![\w/.-])(?:docs|reference)/[\w/.-]*\w")
    pointing = dict(texts(".py", ".md", ".toml", ".yml").items())
    gone = [
        place for place in places(pointer, pointing)
        if not any((ROOT / f"{place.split(': ')[-1]}{end}").exists() for end in ("", ".md"))
        and not list((ROOT / "docs").rglob(f"{place.split('/')[-1]}-*.md"))
    ]  # fmt: skip
    assert gone == []


# -- locks


def pins(name: str) -> dict[str, tuple[str, int]]:
    """Package -> (version, number of hashes), of every requirement of a lock."""
    blocks = re.split(r"^(?=[a-zA-Z0-9])", paper(name), flags=re.M)[1:]
    found = {}
    for block in blocks:
        head = re.match(r"([\w.-]+)(?:\[[^\]]*\])?==(\S+)", block)
        assert head, f"{name}: {block.splitlines()[0]} is not pinned to one version"
        found[head[1].lower().replace("_", "-")] = (head[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)))
    return found


def direct(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", line)[0].lower() for line in requirements}  # type: ignore[index]  # every line names one


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_package_with_hashes_and_without_addresses(name: str) -> None:
    found = pins(name)
    assert len(found) > 50
    assert [package for package, (_, hashes) in found.items() if not hashes] == []
    assert "://" not in paper(name) and " @ " not in paper(name)


def test_the_locks_hold_what_the_project_asks_for_and_agree() -> None:
    run, develop = pins(LOCKS[0]), pins(LOCKS[1])
    extras = [line for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines]
    assert direct(PROJECT["project"]["dependencies"]) <= set(run)
    assert direct(extras) <= set(develop)
    assert {package: pin for package, pin in run.items() if develop.get(package) != pin} == {}


#: Used without an import: zone data for zoneinfo, the build backend.
SILENT = {"tzdata", "setuptools"}


def roots(tree: ast.Module) -> set[str]:
    """Top-level names a module imports, and those it names as text (programs we start, middleware)."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def sources() -> list[tuple[str, ast.Module]]:
    files = texts(".py")
    ours = {name: text for name, text in files.items() if name.split("/")[0] in {"pipeline", "workers"}}
    return [(name, ast.parse(text)) for name, text in ours.items()]


packages_distributions = cache(metadata.packages_distributions)  # every file of every package is read for it


@cache
def imports() -> set[str]:
    return {root for _, tree in sources() for root in roots(tree)}


def distributions(names: set[str]) -> set[str]:
    """The packages that offer these top-level names; the standard library's are nobody's."""
    offered = packages_distributions()
    return {re.sub(r"[-_.]+", "-", dist.lower()) for name in names for dist in offered.get(name, [])}  # PEP 503


def test_every_package_we_install_is_used() -> None:
    imported = imports()
    said = " ".join(text for name, text in texts(".py").items() if name.startswith(("pipeline/", "workers/")))
    named = set(packages_distributions()) & set(re.findall(r"[\"']([\w.-]+?)(?=[\"'.])", said))
    assert direct(PROJECT["project"]["dependencies"]) - distributions(imported | named) - SILENT == set()


def test_every_package_we_use_is_asked_for() -> None:
    """What is imported without being asked for vanishes when somebody else stops asking for it."""
    imported = imports() - {"pipeline", "workers"}
    assert distributions(imported) - direct(PROJECT["project"]["dependencies"]) == set()


# -- papers


def test_every_link_between_papers_leads_somewhere() -> None:
    lost = [
        f"{name}: {target}"
        for name, text in texts(".md").items()
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
        if "://" not in target and "/samples/" not in name and not ((ROOT / name).parent / target).exists()
    ]
    assert lost == []


def test_the_papers_name_every_dependency_at_its_locked_version() -> None:
    lines = paper("docs/dependencies.md").splitlines()
    extras = [line for lines_ in PROJECT["project"]["optional-dependencies"].values() for line in lines_]
    locked = pins(LOCKS[1])
    wanted = direct([*PROJECT["project"]["dependencies"], *extras])
    told = {name for name in wanted for line in lines if line.startswith(f"| {name} | {locked[name][0]} |")}
    assert wanted - told == set()
    named = {row[1] for line in lines if (row := re.match(r"\| ([\w.-]+) \| [0-9]", line))}
    assert named - wanted == set(), "told of, but no longer used"


def test_the_picture_of_the_house_equals_the_house() -> None:
    picture = re.search(r"^```\npipeline/\n(.*?)^```", paper("docs/design.md"), re.M | re.S)
    assert picture
    modules = {path for top in ("pipeline", "workers") for path in (ROOT / top).rglob("*.py")}
    modules = {path for path in modules if "migrations" not in path.parts and path.name != "__init__.py"}
    drawn = set(re.findall(r"\b(\w+\.py)\b", picture[1]))
    assert {path.name for path in modules} - drawn == set(), "not drawn"
    assert drawn - {path.name for path in modules} - {"__init__.py"} == set(), "drawn, but gone"
    rooms = {path.parent.name for path in modules if path.parent.name != "pipeline"}
    assert rooms - set(re.findall(r"\b(\w+)/", picture[1])) - {"workers"} == set()


def test_the_language_is_in_order_and_every_word_says_what_to_avoid() -> None:
    entries = re.split(r"^## ", paper("docs/language.md"), flags=re.M)[1:]
    words = [entry.splitlines()[0] for entry in entries]
    assert words == sorted(words, key=str.lower)
    assert len(words) == len(set(words)) >= 40
    assert [entry.splitlines()[0] for entry in entries if "\n*Avoid:* " not in entry] == []


def test_every_decision_says_why_and_with_what_evidence() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert len(decisions) >= 8
    assert [path.name[:4] for path in decisions] == [f"{number:04d}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        heads = re.findall(r"^## (\w+)$", path.read_text(encoding="utf-8"), re.M)
        assert heads == ["Context", "Decision", "Consequences", "Evidence"], path.name


def test_the_change_log_knows_this_version() -> None:
    log = paper("CHANGELOG.md")
    assert re.search(r"^## \[Unreleased\]", log, re.M)
    assert re.search(rf"^## \[{re.escape(PROJECT['project']['version'])}\]", log, re.M)


def test_the_readme_lists_every_verb() -> None:
    from pipeline.__main__ import app

    commands = [command for room in app.registered_groups for command in room.typer_instance.registered_commands]
    verbs = {command.name or command.callback.__name__ for command in commands if command.callback}
    told = set(re.findall(r"^\| `dateline ([\w-]+)", paper("README.md"), re.M))
    assert told == verbs
