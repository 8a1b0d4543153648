"""Workers are thin: one task a job, ids only, a few statements, and a tick that rings for every job."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from pipeline.commands.running.up import processes
from pipeline.kernel.config import config
from pipeline.kernel.queue import QUEUE_OF, Job, Queue
from workers.app import app
from workers.beat import SCHEDULE

ROOT = Path(__file__).parents[2]
MOST_STATEMENTS = 5
#: The only calls that are not the pipeline's: the instant a task hands down.
CLOCK = "django.utils.timezone"


@dataclass(frozen=True)
class Task:
    """A decorated function in workers/."""

    module: str
    name: str
    job: Job
    node: ast.FunctionDef

    def __str__(self) -> str:
        return self.job.value


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> dict[str, str]:
    """Local name -> dotted origin, for every import of a module."""
    names: dict[str, str] = {}
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names}
    return names


def tasks() -> list[Task]:
    return [
        Task(path.stem, node.name, job, node)
        for path in sorted((ROOT / "workers").glob("*.py"))
        for node in parsed(path).body
        if isinstance(node, ast.FunctionDef) and (job := job_of(node))
    ]


def job_of(node: ast.FunctionDef) -> Job | None:
    """The Job in `@shared_task(name=Job.X.value)`; a decorated task with any other name is an error."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("task"):
            [name] = [keyword.value for keyword in decorator.keywords if keyword.arg == "name"]
            words = ast.unparse(name).split(".")
            assert words[0] == "Job" and words[-1] == "value", f"{node.name} is named by hand"
            return Job[words[1]]
    return None


TASKS = tasks()


def test_every_job_has_exactly_one_task() -> None:
    assert Counter(task.job for task in TASKS) == Counter(Job)


def test_the_app_knows_exactly_our_jobs_by_name() -> None:
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if not name.startswith("celery.")}
    assert ours == {job.value for job in Job}


def test_a_job_is_named_after_the_room_its_task_is_in() -> None:
    assert {task.job.value.split(".")[0] for task in TASKS} == {task.module for task in TASKS}
    assert [task for task in TASKS if task.job.value.split(".")[0] != task.module] == []


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_a_task_takes_ids_by_keyword_and_swallows_what_newer_senders_add(task: Task) -> None:
    arguments = task.node.args
    assert not arguments.args and not arguments.posonlyargs and arguments.vararg is None
    assert arguments.kwarg is not None and arguments.kwarg.arg == "_"
    for argument in arguments.kwonlyargs:
        assert argument.arg.endswith("_id"), f"{argument.arg} is not an id"
        assert argument.annotation is not None and ast.unparse(argument.annotation) == "int"


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_a_task_is_at_most_five_statements(task: Task) -> None:
    statements = [node for part in task.node.body for node in ast.walk(part) if isinstance(node, ast.stmt)]
    assert 1 <= len(statements) <= MOST_STATEMENTS
    assert not any(isinstance(node, ast.If | ast.For | ast.While | ast.Try) for node in statements), "it decides"


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_a_task_calls_the_pipeline_and_nothing_else(task: Task) -> None:
    names = imported(ROOT / "workers" / f"{task.module}.py")
    calls = [call for part in task.node.body for call in ast.walk(part) if isinstance(call, ast.Call)]
    origins = [names.get(ast.unparse(call.func).split(".")[0], ast.unparse(call.func)) for call in calls]
    assert any(origin.startswith("pipeline.") for origin in origins)
    assert [origin for origin in origins if not origin.startswith(("pipeline.", CLOCK))] == []


def test_every_job_has_a_queue_and_every_queue_a_listener() -> None:
    assert set(QUEUE_OF) == set(Job)
    assert set(QUEUE_OF.values()) == set(Queue)
    listening = [argv[argv.index("-Q") + 1] for argv in (p.argv for p in processes(config())) if "-Q" in argv]
    heard = [queue for one in listening for queue in one.split(",")]
    assert sorted(heard) == sorted(queue.value for queue in Queue), "each queue has one kind of worker"


def test_the_beat_rings_only_jobs_of_ours_and_lets_old_ticks_expire() -> None:
    assert {entry["task"] for entry in SCHEDULE.values()} <= {job.value for job in Job}
    assert all(entry["options"]["expires"] >= entry["schedule"] for entry in SCHEDULE.values())


# -- who rings for whom: from each tick's task, along calls inside pipeline/, to every ring(Job.X) and wake(Job.X)


def module_path(dotted: str) -> Path | None:
    path = ROOT / Path(*dotted.split("."))
    return path.with_suffix(".py") if path.with_suffix(".py").exists() else None


def rung_from(path: Path, function: str, seen: set[tuple[Path, str]]) -> set[Job]:
    """The jobs whose bell `function` of `path` can ring, directly or through what it calls."""
    bodies = [n for n in ast.walk(parsed(path)) if isinstance(n, ast.FunctionDef) and n.name == function]
    if (path, function) in seen or not bodies:
        return set()
    seen.add((path, function))
    found: set[Job] = set()
    for call in (node for body in bodies for node in ast.walk(body) if isinstance(node, ast.Call)):
        words = ast.unparse(call.func).split(".")
        if words[-1] in {"ring", "wake"} and call.args and ast.unparse(call.args[0]).startswith("Job."):
            found.add(Job[ast.unparse(call.args[0]).split(".")[1]])
        elif place := called(path, words):
            found |= rung_from(*place, seen)
    return found


def called(path: Path, words: list[str]) -> tuple[Path, str] | None:
    """Where `name()` or `module.name()` is defined, if that is in this repository."""
    if len(words) == 1 and words[0] not in imported(path):
        return path, words[0]
    dotted = ".".join([imported(path).get(words[0], ""), *words[1:]])
    module, _, name = dotted.rpartition(".")
    place = module_path(module) if module.startswith("pipeline.") else None
    return (place, name) if place else None


def test_a_tick_rings_for_every_job_that_the_beat_does_not() -> None:
    """A lost message costs time, never work: something that runs by itself finds the row and rings again."""
    ticking = {Job(entry["task"]) for entry in SCHEDULE.values()}
    reached: set[Job] = set(ticking)
    for task in TASKS:
        if task.job in ticking:
            reached |= rung_from(ROOT / "workers" / f"{task.module}.py", task.name, set())
    assert set(Job) - reached == set(), "a message for these that is lost is lost for ever"
    assert {QUEUE_OF[job] for job in reached} == set(Queue)
