"""Files in, verdicts out."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.commands.reading.read_bounce import lines

SAMPLES = Path(__file__).parents[2] / "samples" / "bounces"


def test_each_file_gets_one_line_in_order(tmp_path: Path) -> None:
    hard, missing = SAMPLES / "dsn-no-mailbox.eml", tmp_path / "nothing.eml"
    first, second = lines([hard, str(missing)])
    assert first == {
        "path": str(hard),
        "recipient": "ines@quay.example",
        "kind": "hard",
        "reason": "no-mailbox",
        "status": "5.1.1",
        "action": "failed",
    }
    assert (second["kind"], second["path"]) == ("none", str(missing))
    assert "cannot be read" in second["warnings"][0]


def test_every_line_is_json() -> None:
    paths = sorted(SAMPLES.glob("*.eml"))
    answers = list(lines(paths))
    assert json.loads(json.dumps(answers)) == answers
    assert len(answers) == len(paths) > 24
