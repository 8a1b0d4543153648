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

from pipeline.commands.rendering.render_edition import UnusableInput, render_edition

SAMPLE = Path(__file__).parents[2] / "samples" / "edition.json"


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


@pytest.mark.parametrize("design", ["morning", "section", "weekly", "breaking"])
def test_every_design_renders_the_sample(design: str, tmp_path: Path) -> None:
    document = json.loads(SAMPLE.read_bytes())
    document["newsletter"]["design"] = design
    warnings, html, text = rendered(document, tmp_path)
    assert warnings == []
    assert "</html>" in html
    assert "Five capitals, one river" in " ".join(text.split())


def report(document: Any, out: Path) -> dict[str, Any]:
    """preflight.json of a document."""
    rendered(document, out)
    read: dict[str, Any] = json.loads((out / "made" / "preflight.json").read_bytes())
    return read


def test_the_report_says_what_was_found_and_what_it_weighs(tmp_path: Path) -> None:
    document = json.loads(SAMPLE.read_bytes())
    document["newsletter"]["subject"] = "x" * 90
    said = report(document, tmp_path)
    made = {path.suffix: path.stat().st_size for path in (tmp_path / "made").iterdir()}
    assert (said["html_bytes"], said["text_bytes"], said["eml_bytes"]) == (made[".html"], made[".txt"], made[".eml"])
    assert [link["number"] for link in said["links"]] == list(range(len(said["links"])))
    assert said["reading_minutes"] >= 2
    assert {"feature", "clients", "fallback"} == set(said["clients"][0])
    finding = next(each for each in said["findings"] if each["code"] == "long_subject")
    assert set(finding) == {"code", "level", "where", "fix", "text", "params"}
    assert "90 characters" in finding["text"]


def test_a_file_without_any_date_gives_the_same_files_on_any_day(tmp_path: Path) -> None:
    warnings, _, text = rendered([{"title": "Undated", "canonical": "https://c.example/1"}], tmp_path)
    assert "1 January 2000" in text
    assert any("nothing has a date" in warning for warning in warnings)


OWN = """<mjml><mj-head><mj-attributes><mj-all font-family="Georgia"/></mj-attributes></mj-head><mj-body>
<mj-raw><img src="[[dl:open]]" alt="" width="1" height="1"/></mj-raw>
{% for block in blocks %}<mj-raw>[[dl:b{{ block.position }}]]</mj-raw>
{% for placed in block.stories %}<mj-section><mj-column><mj-text>
<h2>Own: {{ placed.story.headline }}</h2></mj-text></mj-column></mj-section>{% endfor %}{% endfor %}
<mj-raw>[[dl:b0]]</mj-raw>
<mj-section><mj-column><mj-text><a href="[[dl:leave]]">Leave</a> <a href="[[dl:view]]">View</a>
{% for part in signature %}{{ part }}<br/>{% endfor %}</mj-text></mj-column></mj-section></mj-body></mjml>"""


def with_design(design: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SAMPLE.read_bytes())
    document["newsletter"]["own_design"] = design
    return document


def test_a_file_may_bring_its_own_design(tmp_path: Path) -> None:
    warnings, html, text = rendered(with_design(OWN), tmp_path)
    assert warnings == []
    assert "Own: Five capitals, one river" in html
    assert text.startswith("THE MORNING DISPATCH")


@pytest.mark.parametrize(
    ("design", "said"),
    [
        (OWN.replace("mj-section", "mj-secton"), "own_design: Line 4, column 34: There is no tag <mj-secton>"),
        (OWN.replace("{{ part }}", "{{ prat }}"), "own_design: Line 8, column 31: There is nothing called “prat”"),
        (OWN.replace("[[dl:leave]]", "https://x.example/"), "There is no way to leave"),
        ("{% for %}", "own_design: Line 1, column 1: This cannot be read"),
    ],
)
def test_a_design_that_cannot_be_used_is_one_line_with_its_place(design: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput) as refused:
        rendered(with_design(design), tmp_path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "made").exists()


def test_the_warnings_of_a_design_stand_in_the_report(tmp_path: Path) -> None:
    said = report(with_design(OWN.replace("[[dl:view]]", "https://x.example/")), tmp_path)
    assert [each["where"] for each in said["findings"] if each["code"] == "design_warning"] == ["design:8"]
    assert rendered(with_design(7), tmp_path)[0] == ["newsletter: own_design should be text, not int"]


def ruled(*blocks: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SAMPLE.read_bytes())
    document["newsletter"]["blocks"] = list(blocks)
    return document


def test_blocks_with_rules_fill_by_them_and_say_what_was_left_out(tmp_path: Path) -> None:
    document = ruled(
        {"kind": "lead", "rule": {"count": 1}},
        {"kind": "section", "title": "From Africa", "rule": {"sections": ["Africa"], "count": 2, "minimum": 2}},
        {"kind": "section", "title": "Sport", "rule": {"sections": ["Sport"], "minimum": 2}},
        {"kind": "sponsor", "rule": {"story": {"headline": "A word from us", "url": "https://s.example/"}}},
        {"kind": "note", "note": "Until tomorrow."},
    )
    warnings, _, text = rendered(document, tmp_path)
    said = json.loads((tmp_path / "made" / "preflight.json").read_bytes())
    assert ["The block “Sport” found 0 of 2 stories" in warning for warning in warnings].count(True) == 1
    order = [text.index(part) for part in ("FROM AFRICA", "A word from us", "Until tomorrow.")]
    assert order == sorted(order)
    chosen = sum(link["kind"] == "story" for link in said["links"])
    assert len(said["left_out"]) == 12 - chosen
    assert {each["code"] for each in said["left_out"]} <= {"other_section", "no_room"}


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"kind": "leed"}, "block 1: there is no kind 'leed'"),
        ({"kind": "top", "rule": {"cuont": 3}}, "block 1: its rule has no cuont"),
        ({"kind": "top", "rule": {"count": 0}}, "block 1: count must be a whole number from 1 to 100"),
        ({"kind": "top", "rule": {"sections": "Africa"}}, "block 1: sections should be a list of text"),
        ({"kind": "top", "rule": {"per_author": -1}}, "block 1: per_author should be a whole number"),
        ({"kind": "top", "rule": 3}, "block 1: its rule should be an object"),
        ({"kind": "top", "rule": {"order": "random"}}, "'random' is not a valid Order"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_in_one_line(block: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput) as refused:
        rendered(ruled(block), tmp_path)
    assert said in str(refused.value)


@settings(max_examples=60, deadline=None)
@given(
    blocks=st.lists(
        st.fixed_dictionaries(
            {"kind": st.sampled_from(["lead", "top", "section", "popular", "related", "sponsor", "note"])},
            optional={
                "rule": st.dictionaries(
                    st.sampled_from(["count", "sections", "sources", "story", "topic", "order", "per_author", "most_age_h"]),
                    JSON | st.lists(WORDS, max_size=2) | st.integers(0, 9),
                    max_size=3,
                ),
                "title": JSON, "note": JSON, "link": JSON,
            },
        )
        | JSON,
        min_size=1,
        max_size=3,
    )
)  # fmt: skip
def test_any_blocks_end_in_files_or_in_one_line(blocks: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        _, html, _ = rendered(ruled(*blocks), tmp_path_factory.mktemp("any"))
    except UnusableInput as refused:
        assert "\n" not in str(refused)
        return
    assert html.endswith("</html>\n")


def test_hostile_and_enormous_articles_come_out_safe_and_whole(tmp_path: Path) -> None:
    nasty = [
        "<script>alert(1)</script>", "A" * 180, "عاجل: اتفاق على النهر", "🎉 & &amp; \"quotes\" ‘n’ <b>", ".leading dot",
        "{{ braces }} {% if %} [[dl:leave]] *|FNAME|*", "\u202egnikcart\u202c", "</td></table>--><!--",
    ]  # fmt: skip
    document = {
        "newsletter": {"name": "N", "slug": "n", "publisher": "P", "postal_address": "1 Street"},
        "articles": [
            {"title": title, "canonical": f"https://c.example/{n}", "text": "word " * 400_000, "standfirst": title}
            for n, title in enumerate(nasty)
        ],
    }
    _, html, _ = rendered(document, tmp_path)
    assert "<script" not in html
    message = message_from_bytes((tmp_path / "made" / "morning.eml").read_bytes(), policy=policy.SMTP)
    parts = [part.get_content().replace("\r\n", "\n") for part in message.iter_parts()]
    assert parts == [(tmp_path / "made" / f"morning{end}").read_text("utf-8") for end in (".txt", ".html")]
    assert len(html) < 100_000


def test_a_file_that_cannot_be_used_ends_the_command_with_two(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{", encoding="utf-8")
    argv = [sys.executable, "-m", "pipeline", "render-edition", "--newsletter", "morning"]
    argv += ["--articles", str(tmp_path / "x.json"), "--out", str(tmp_path / "made")]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert len(ran.stderr.strip().splitlines()) == 1


def test_no_database_and_no_django_is_needed(tmp_path: Path) -> None:
    """In an interpreter of its own: this one has Django loaded by the test runner."""
    code = (
        "import sys; from pathlib import Path\n"
        "from pipeline.commands.rendering.render_edition import render_edition\n"
        f"render_edition(articles=Path({str(SAMPLE)!r}), newsletter='m', out=Path({str(tmp_path)!r}))\n"
        "assert not {'django', 'psycopg', 'redis', 'celery'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
