"""Every setting is documented, and containers run what `dateline up` runs."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from pipeline.commands.running.up import processes
from pipeline.kernel.config import ConfigError, config, load

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
NAME = re.compile(r"\b(?:DATELINE_[A-Z_]+|DATABASE_URL|REDIS_URL)\b")
#: Shown by example, for their default is an engine of our own.
BY_EXAMPLE = {"DATABASE_URL", "REDIS_URL", "DATELINE_SECRET_KEY", "DATELINE_DATA_DIR"}
#: What may differ between a container and a terminal: where a process listens, how much it says.
PLACES = {"--host", "--port", "--log-level", "--loglevel", "--schedule"}


def documented() -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", EXAMPLE, re.M))


def names_read() -> set[str]:
    """The first argument of every `read.text("NAME", ...)` and its like in kernel/config.py."""
    tree = ast.parse((ROOT / "pipeline/kernel/config.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        str(call.args[0].value)
        for call in calls
        if ast.unparse(call.func) in {f"read.{kind}" for kind in ("text", "number", "url", "choice")}
        and call.args and isinstance(call.args[0], ast.Constant)
    }  # fmt: skip


def test_every_setting_read_is_documented_and_the_other_way_round() -> None:
    read = names_read()
    assert len(read) >= len(fields(config())) - 2, "settings are read in a way this test does not see"
    assert read == set(documented())


def test_the_documented_defaults_are_the_defaults(tmp_path: Path) -> None:
    bare = {"DATELINE_SECRET_KEY": "s" * 60, "DATELINE_DATA_DIR": str(tmp_path)}
    shown = {name: value for name, value in documented().items() if name not in BY_EXAMPLE}
    assert load({**shown, **bare}) == load(bare)


def test_no_other_module_reads_a_setting_under_a_name_nobody_documented() -> None:
    unknown = {
        f"{path.relative_to(ROOT)}: {name}"
        for top in ("pipeline", "workers", "benchmarks")
        for path in (ROOT / top).rglob("*.py")
        for name in NAME.findall(path.read_text(encoding="utf-8"))
        if name not in documented() and name.removesuffix("_PORT") != "DATELINE_"
    }
    assert unknown == set()


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    wrong = {
        "DATELINE_ENV": "test",
        "DATELINE_WEB_PORT": "web",
        "DATELINE_SITE_URL": "ftp://a",
        "DATELINE_WORKERS": "0",
    }
    with pytest.raises(ConfigError) as caught:
        load({**wrong, "DATELINE_DATA_DIR": str(tmp_path)})
    assert all(name in str(caught.value) for name in wrong)


def test_production_refuses_what_only_development_may_have(tmp_path: Path) -> None:
    easy = {"DATELINE_FETCH_ALLOW": "127.0.0.1:8010", "DATELINE_DATA_DIR": str(tmp_path)}
    load(easy)
    with pytest.raises(ConfigError) as caught:
        load({**easy, "DATELINE_ENV": "production"})
    refused = ("DATELINE_SECRET_KEY", "DATELINE_FETCH_ALLOW", "DATELINE_SITE_URL", "DATELINE_TRACK_URL")
    assert all(name in str(caught.value) for name in refused)


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 60 + "\n", encoding="utf-8")
    read = load({"DATELINE_SECRET_KEY_FILE": str(tmp_path / "key"), "DATELINE_DATA_DIR": str(tmp_path)})
    assert read.secret_key == "k" * 60


# -- docker-compose.yml, read by its indentation: two spaces a level, as we write it


def services() -> dict[str, str]:
    """Service name -> its lines."""
    body = COMPOSE.split("\nservices:\n", 1)[1]
    body = re.split(r"^\w", body, maxsplit=1, flags=re.M)[0]
    parts = re.split(r"^  (\w+):\n", body, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands() -> dict[str, list[str]]:
    found = {name: re.search(r"^    command: (\[.*\])$", lines, re.M) for name, lines in services().items()}
    return {name: json.loads(match[1]) for name, match in found.items() if match}


def meaning(argv: list[str]) -> tuple[str, frozenset[tuple[str, str]]]:
    """A command without its interpreter and its places: (program, {(option, value)})."""
    words = argv[2:] if argv[1:2] == ["-m"] else argv
    pairs: list[tuple[str, str]] = []
    for place, word in enumerate(words[1:], start=1):
        before = words[place - 1]
        following = words[place + 1] if place + 1 < len(words) else "-"
        if word.startswith("-"):
            pairs.append((word, "" if following.startswith("-") or ":" in following else following))
        elif not before.startswith("-") or ":" in word:
            pairs.append(("", word))
    return words[0], frozenset(pair for pair in pairs if pair[0] not in PLACES)


def test_containers_run_what_up_runs() -> None:
    ours = {process.name: meaning([*process.argv[:1], *process.argv[1:]]) for process in processes(config())}
    theirs = {name: meaning(argv) for name, argv in commands().items()}
    assert set(ours) <= set(theirs)
    assert {name: theirs[name] for name in ours} == ours


def test_containers_bind_where_their_ports_are_published() -> None:
    for name in ("web", "track"):
        argv = commands()[name]
        host, port = argv[argv.index("--host") + 1], argv[argv.index("--port") + 1]
        assert host == "0.0.0.0"
        assert f'ports: ["127.0.0.1:{port}:{port}"]' in services()[name]


def test_the_compose_file_hangs_together() -> None:
    assert "\t" not in COMPOSE
    assert [line for line in COMPOSE.splitlines() if (len(line) - len(line.lstrip(" "))) % 2] == []
    known = services()
    for name, lines in known.items():
        assert re.search(r"^    (image: |<<: \*dateline)", lines, re.M), f"{name} has no image"
    named = re.findall(r"^ +(\w+): \{condition: service_", COMPOSE, re.M)
    assert named and set(named) <= set(known)
    volumes = set(re.findall(r"^  (\w+):$", COMPOSE.split("\nvolumes:\n")[1], re.M))
    assert set(re.findall(r'\["(\w+):/', COMPOSE)) == volumes


def test_the_compose_file_sets_only_settings_that_exist() -> None:
    assert set(NAME.findall(COMPOSE)) <= set(documented())


def test_containers_can_be_told_every_setting_that_matters_to_them() -> None:
    fixed = {
        "DATELINE_WEB_PORT",
        "DATELINE_TRACK_PORT",
        "DATELINE_WORKERS",
        "DATELINE_FETCH_ALLOW",
        "DATELINE_X_BASE_URL",
    }
    assert set(documented()) - fixed - set(NAME.findall(COMPOSE)) == set(), "set in .env, and not handed on"


PRODUCTION = {
    "DATELINE_ENV": "production",
    "DATELINE_SECRET_KEY": "".join(map(str, range(40))),
    "DATELINE_SITE_URL": "https://news.example.org",
    "DATELINE_TRACK_URL": "https://t.example.org",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "DJANGO_SETTINGS_MODULE": "pipeline.settings",
}


def in_production(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not NAME.match(name)}
    environ |= {**PRODUCTION, "DATELINE_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-c", f"import django; django.setup(); {code}"]
    return subprocess.run(argv, env=environ, capture_output=True, text=True, check=False, timeout=60)


def test_djangos_deploy_checks_are_clean_in_production(tmp_path: Path) -> None:
    code = "from django.core.management import call_command as c; c('check', deploy=True, fail_level='WARNING')"
    done = in_production(code, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_container_asked_for_its_health_in_production_answers_for_its_database(tmp_path: Path) -> None:
    """503, for there is none here; 400 or 301 would mean that no container is ever healthy."""
    host = re.findall(r"http://([\w.:]+)/healthz", services()["web"])[0]
    code = f"from django.test import Client; print(Client().get('/healthz', HTTP_HOST={host!r}).status_code)"
    done = in_production(code, tmp_path)
    assert done.stdout.strip() == "503", done.stdout + done.stderr[-600:]


def test_docker_reads_the_compose_file() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("needs the docker compose plugin")
    done = subprocess.run(
        [docker, "compose", "-f", str(ROOT / "docker-compose.yml"), "config", "-q"],
        env={"DATELINE_SECRET_KEY": "k" * 60, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
