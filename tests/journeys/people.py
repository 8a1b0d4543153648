"""Who sits at the desk of a running house, and the way through its door."""

from __future__ import annotations

import subprocess
import sys

from tests.journeys.house import House

PASSWORD = "harbour-row-0630"


def editor(house: House, *, role: str = "editor") -> None:
    """Ada has an account."""
    secret = house.data_dir / "password"
    secret.write_text(PASSWORD)
    subprocess.run(
        [sys.executable, "-m", "pipeline", "create-editor", "ada@dispatch.example.org", "--name", "Ada", "--role", role, "--password-file", str(secret)],
        env=house.environ, check=True, capture_output=True,
    )  # fmt: skip


def sign_in(page, house: House) -> None:  # type: ignore[no-untyped-def]
    page.goto(f"{house.site}/desk/")
    page.get_by_label("Email").fill("ada@dispatch.example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{house.site}/desk/")
