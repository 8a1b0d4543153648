"""What `dateline doctor` says of single settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.commands.running import doctor
from pipeline.engagement.asking.networks import hosting
from pipeline.kernel.config import config, load


def test_hosting_networks_are_told_by_number_and_origin_and_bad_lines_by_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = hosting().listed
    told = doctor._hosting(replace(config(), hosting_networks=""))
    assert (told.level, told.found) == (doctor.OK, f"{shipped} of Dateline's own list")
    own = tmp_path / "networks.txt"
    own.write_text("203.0.113.0/24\n-198.51.100.0/24\nthe office\n", encoding="utf-8")
    monkeypatch.setenv("DATELINE_HOSTING_NETWORKS_FILE", str(own))
    settings = load({"DATELINE_HOSTING_NETWORKS_FILE": str(own), "DATELINE_DATA_DIR": str(tmp_path)})
    told = doctor._hosting(settings)
    assert told.level == doctor.WARN
    assert told.found == f"{shipped} of Dateline's own list; 1 added and 1 taken out by {own}"
    assert "line 3" in told.mend and "the office" in told.mend
