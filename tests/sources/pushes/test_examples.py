"""The recipes of docs/pushes.md are run as they stand there: whoever copies one is heard."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.sources.pushes import signatures
from pipeline.sources.pushes.envelopes import Event, dateline_news
from pipeline.sources.pushes.signatures import Check

PAGE = (Path(__file__).parents[3] / "docs" / "pushes.md").read_text(encoding="utf-8")
SECRET, ENDPOINT = "s3cret-of-the-gazette", "https://news.example.org/hooks/t"


def recipe(language: str) -> str:
    [block] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    return str(block)


def was_signed(header: str, body: bytes) -> bool:
    return signatures.check_dateline(header, secret=SECRET, body=body, now=datetime.now(UTC)).check is Check.GOOD


def test_the_json_of_the_page_is_news() -> None:
    assert dateline_news(recipe("json").encode()).event is Event.PUBLISHED


def test_the_python_of_the_page_signs_well(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[urllib.request.Request] = []
    monkeypatch.setattr(urllib.request, "urlopen", sent.append)
    exec(recipe("python"), {"SECRET": SECRET, "ENDPOINT": ENDPOINT})  # noqa: S102 - our own page
    [request] = sent
    assert isinstance(request.data, bytes) and request.full_url == ENDPOINT
    assert was_signed(request.get_header("Dateline-signature") or "", request.data)


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_the_shell_of_the_page_signs_well() -> None:
    script = f'curl() {{ for word; do printf "%s\\n" "$word"; done; }}\nSECRET={SECRET}\nENDPOINT={ENDPOINT}\n'
    words = subprocess.run(
        ["sh", "-c", script + recipe("sh")],  # noqa: S607 - whichever shell this machine has
        capture_output=True, text=True, check=True, timeout=30,
    ).stdout.splitlines()  # fmt: skip
    assert words[0] == "-H" and words[-1] == ENDPOINT
    assert was_signed(words[1].removeprefix("Dateline-Signature: "), words[words.index("--data-binary") + 1].encode())
