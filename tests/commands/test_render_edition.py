from __future__ import annotations

import json
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.commands.render_edition import UnusableInput, render_edition

SAMPLE = Path(__file__).parents[1] / "samples" / "edition.json"


def rendered(document: Any, out: Path, newsletter: str = "morning") -> tuple[list[str], str, str]:
    """Warnings, HTML and text of a document."""
    source = out / "source.json"
    source.write_text(json.dumps(document), encoding="utf-8")
    warnings = render_edition(articles=source, newsletter=newsletter, out=out / "made")
    made = out / "made" / newsletter
    return warnings, Path(f"{made}.html").read_text("utf-8"), Path(f"{made}.txt").read_text("utf-8")


def test_the_sample_edition_renders_without_a_warning(tmp_path: Path) -> None:
    assert render_edition(articles=SAMPLE, newsletter="morning", out=tmp_path / "new" / "folder") == []
    made = {path.name: path.read_bytes() for path in (tmp_path / "new" / "folder").iterdir()}
    assert sorted(made) == ["morning.eml", "morning.html", "morning.txt", "preflight.json"]
    titles = [article["title"] for article in json.loads(SAMPLE.read_bytes())["articles"]]
    assert len(titles) == 12
    assert all(title in " ".join(made["morning.txt"].decode().split()) for title in titles)
    assert json.loads(made["preflight.json"])["blocked"] is False
    assert len(made["morning.html"]) <= 60_000


def test_the_message_holds_the_two_parts_that_are_written_beside_it(tmp_path: Path) -> None:
    render_edition(articles=SAMPLE, newsletter="morning", out=tmp_path)
    message = message_from_bytes((tmp_path / "morning.eml").read_bytes(), policy=policy.SMTP)
    text, html = message.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == (tmp_path / "morning.txt").read_text("utf-8")
    assert html.get_content().replace("\r\n", "\n") == (tmp_path / "morning.html").read_text("utf-8")
    assert message["To"] == "reader@example.org"
    assert message["Subject"] == "Five capitals, one river: the Zambezi accord nobody expected to sign"


def test_the_same_file_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        render_edition(articles=SAMPLE, newsletter="morning", out=tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_bare_list_of_titles_is_enough(tmp_path: Path) -> None:
    warnings, html, text = rendered([{"title": "Alone", "published": "2026-11-23"}], tmp_path, "evening-post")
    assert "Alone" in html
    assert text.startswith("EVENING POST\nMonday 23 November 2026")
    assert "article 1: has no address; its headline leads nowhere" in warnings
    assert any("postal address" in warning for warning in warnings)


def test_wrong_types_are_said_and_left_out(tmp_path: Path) -> None:
    article = {
        "title": "Kept", "canonical": "https://c.example/1", "authors": [1, "Ada", {"name": "Ben"}], "published": "soon",
        "section": 7, "breadcrumbs": {"name": "World"}, "image": 3, "dateline": ["x"], "standfirst": {}, "text": None,
    }  # fmt: skip
    warnings, _, text = rendered({"newsletter": [], "articles": [article, 5, {"title": ""}, {"title": 3}]}, tmp_path)
    assert "By Ada, Ben" in text
    for said in (
        "newsletter: should be an object", "article 1: published is not a date: 'soon'", "article 2: should be an object; left out",
        "article 1: authors should be a list of text", "article 1: standfirst should be text, not dict", "article 3: has no title; left out",
        "article 1: image should be an address or an object with one", "article 4: title should be text, not int",
    ):  # fmt: skip
        assert said in warnings


def test_an_image_may_be_an_address_an_object_or_a_list(tmp_path: Path) -> None:
    for image in (
        "https://p.example/a.jpg",
        {"url": "https://p.example/a.jpg"},
        [{"src": "https://p.example/a.jpg"}],
    ):
        _, html, _ = rendered([{"title": "T", "image": image}], tmp_path)
        assert 'src="https://p.example/a.jpg"' in html


def test_a_missing_standfirst_is_the_beginning_of_the_text(tmp_path: Path) -> None:
    _, _, text = rendered([{"title": "T", "text": "word " * 300}], tmp_path)
    assert "word…" in text
    assert "word " * 60 not in " ".join(text.split())


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"3", b"{}", b"[]", b'{"articles": {}}', b"[[]]", b'[{"text": "x"}]', b"[" * 100_000]
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(UnusableInput):
        render_edition(articles=tmp_path / "x.json", newsletter="morning", out=tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=r"cannot read absent\.json"):
        render_edition(articles=tmp_path / "absent.json", newsletter="morning", out=tmp_path)


@pytest.mark.parametrize("newsletter", ["", "..", "a\0b", "  ", "🙂"])
def test_a_name_that_names_nothing_is_refused(newsletter: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="not a name"):
        render_edition(articles=SAMPLE, newsletter=newsletter, out=tmp_path)


@pytest.mark.parametrize(
    ("newsletter", "stem"),
    [("Morning Brief", "morning-brief"), ("../up", "up"), ("a/b", "a-b"), (".hidden", "hidden"), ("x" * 90, "x" * 80)],
)
def test_a_name_as_readers_see_it_names_the_files_and_never_leaves_the_folder(
    newsletter: str, stem: str, tmp_path: Path
) -> None:
    render_edition(articles=SAMPLE, newsletter=newsletter, out=tmp_path / "made")
    made = {path.name for path in (tmp_path / "made").iterdir()}
    assert made == {f"{stem}.html", f"{stem}.txt", f"{stem}.eml", "preflight.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
#: With lone surrogates, which JSON can carry.
WORDS = st.text(alphabet=st.characters(exclude_categories=()), min_size=1, max_size=30)
DATES = st.datetimes().map(lambda moment: moment.isoformat()) | st.sampled_from(
    ["0001-01-01T00:00+14:00", "2026-11-23"]
)
ARTICLE = st.fixed_dictionaries(
    {"title": WORDS},
    optional={
        "canonical": st.just("https://c.example/1") | JSON,
        "published": DATES | JSON,
        "image": st.fixed_dictionaries({"url": JSON, "alt": JSON}) | JSON,
        "dateline": st.fixed_dictionaries({"place": JSON}) | JSON,
        "authors": st.lists(WORDS) | JSON,
        **dict.fromkeys(["section", "breadcrumbs", "language", "standfirst", "text"], WORDS | JSON),
    },
)
NEWSLETTER = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(["name", "slug", "accent", "language", "note", "popular", "sections", "subject"], WORDS | JSON),
        "zone": st.sampled_from(["Africa/Cairo", "Nowhere/At_All", "../etc/passwd", "\0", "Africa"]) | JSON,
        "slot_at": DATES,
        "logo_url": WORDS,
    },
)


@settings(max_examples=120, deadline=None)
@given(articles=st.lists(ARTICLE, min_size=1, max_size=4), newsletter=NEWSLETTER | JSON)
def test_any_json_with_a_title_in_it_ends_in_files(
    articles: list[Any], newsletter: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    try:
        _, html, _ = rendered({"newsletter": newsletter, "articles": articles}, tmp_path_factory.mktemp("any"))
    except UnusableInput:
        assert not any(article["title"].isprintable() and article["title"].strip() for article in articles)
        return
    assert html.endswith("</html>\n")


def test_a_design_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="no design called 'evening'"):
        rendered({"newsletter": {"design": "evening"}, "articles": [{"title": "T"}]}, tmp_path)


def test_no_database_and_no_django_is_needed(tmp_path: Path) -> None:
    """In an interpreter of its own: this one has Django loaded by the test runner."""
    code = (
        "import sys; from pathlib import Path\n"
        "from pipeline.commands.render_edition import render_edition\n"
        f"render_edition(articles=Path({str(SAMPLE)!r}), newsletter='m', out=Path({str(tmp_path)!r}))\n"
        "assert not {'django', 'psycopg', 'redis', 'celery'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
