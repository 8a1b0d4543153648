from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, message_from_string, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.delivery.message.merge import (
    MOST_ARRANGEMENTS,
    EditionHeaders,
    Program,
    UnusableHeader,
    UnusableReader,
    compile_program,
)
from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Picture, Story
from pipeline.editions.render import render
from pipeline.editions.rendered import (
    Doors,
    Link,
    LinkTable,
    ReaderValues,
    Rendered,
    preview,
    preview_text,
)

DOORS = Doors.at(track="https://track.example.org", public="https://news.example.org")
MOMENT = datetime(2026, 11, 23, 5, 30, tzinfo=timezone(timedelta(hours=1)))
HEADERS = EditionHeaders(
    sender_name="The Morning Dispatch",
    sender="morning@news.example.org",
    doors=DOORS,
    date=MOMENT,
    reply_to="desk@news.example.org",
    list_name="The Morning Dispatch",
    list_id="morning.news.example.org",
    leave_mailbox="leave@bounce.example.org",
    archive_url="https://news.example.org/archive/morning/",
    feedback_id="417:morning:digest:dateline",
)
LETTER = Rendered(
    subject="Hello",
    preheader="",
    html='<p><a href="[[dl:c1]]">x</a><a href="[[dl:leave]]">leave</a><img src="[[dl:open]]" alt=""></p>\n',
    text="Hello\n[[dl:c0]]\n[[dl:leave]]\n",
    links=(
        Link(0, "https://a.example/", "story", "lead/1"),
        Link(1, "https://b.example/", "story", "lead/2"),
    ),
)


def token(number: int) -> bytes:
    """Distinct, and with both letters of base64url that a boundary or an encoder might mistake."""
    return base64.urlsafe_b64encode(number.to_bytes(4) + b"\xfb\xef\xff\xfe" * 4)[:26]


def reader(rendered: Rendered, **changes: Any) -> ReaderValues:
    values = ReaderValues(
        address="cleo+news@reader.example",
        tokens=[token(link.number) for link in rendered.links],
        open_token=token(70_001),
        leave_token=token(70_002),
        view_token=token(70_003),
        message_id="<417.1.k3@news.example.org>",
    )
    return replace(values, **changes)


def merged(
    rendered: Rendered,
    *,
    headers: EditionHeaders = HEADERS,
    blocks: tuple[int, ...] | None = None,
    **changes: Any,
) -> bytes:
    program = compile_program(rendered, headers=headers)
    return (program if blocks is None else program.arranged(blocks)).message(reader(rendered, **changes))


def parsed(data: bytes) -> EmailMessage:
    """As a mailbox would: the standard library, with every defect an error."""
    message = message_from_bytes(data, policy=policy.SMTP.clone(raise_on_defect=True))
    assert isinstance(message, EmailMessage)
    return message


def fit_for_the_wire(data: bytes) -> None:
    assert data.endswith(b"\r\n")
    lines = data[:-2].split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines)
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert data.isascii()
    head = lines.index(b"")
    assert max(map(len, lines[:head])) <= 998
    assert max(map(len, lines[head:])) <= 76
    assert not any(line.endswith((b" ", b"\t")) or b"  " in line or b"\t" in line for line in lines[head:])


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = message.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert (text.get_content_charset(), html.get_content_charset()) == ("utf-8", "utf-8")
    #: Line ends on the wire are CRLF; a lone CR or LF would come through here and be seen.
    return text.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def same_lines(text: str) -> str:
    return re.sub(r"\r\n|\r", "\n", text)


def agrees(rendered: Rendered, *, blocks: tuple[int, ...] | None = None, **changes: Any) -> None:
    data = merged(rendered, blocks=blocks, **changes)
    fit_for_the_wire(data)
    message = parsed(data)
    values = reader(rendered, **changes)
    text, html = parts(message)
    assert text == same_lines(preview_text(rendered, doors=DOORS, values=values, blocks=blocks))
    assert html == same_lines(preview(rendered, doors=DOORS, values=values, blocks=blocks))
    assert "[[dl:b" not in text + html
    assert message["Subject"] == rendered.subject
    assert message.keys() == NAMES


NAMES = [
    "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "List-ID", "List-Unsubscribe", "List-Unsubscribe-Post",
    "Precedence", "List-Archive", "Feedback-ID", "Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type",
]  # fmt: skip


def test_the_headers_are_the_ones_a_bulk_sender_owes_and_no_others() -> None:
    message = parsed(merged(LETTER))
    assert message.keys() == NAMES
    assert message["From"] == '"The Morning Dispatch" <morning@news.example.org>'.replace('"', "")
    assert message["To"] == "cleo+news@reader.example"
    assert message["Date"].datetime == MOMENT
    assert message["Message-ID"] == "<417.1.k3@news.example.org>"
    assert message["List-ID"].split()[-1] == "<morning.news.example.org>"
    leave = token(70_002).decode()
    https, mail = message["List-Unsubscribe"].split(", ")
    assert https == f"<https://news.example.org/u/{leave}>"
    assert mail == f"<mailto:leave+{leave}@bounce.example.org>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Archive"] == "<https://news.example.org/archive/morning/>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Precedence"] == "bulk"
    assert message["Feedback-ID"] == "417:morning:digest:dateline"
    assert message["Content-Language"] == "en"


def test_a_letter_to_one_person_is_not_a_lists() -> None:
    message = parsed(merged(LETTER, headers=replace(HEADERS, list_id="", reply_to="")))
    lists = {"Precedence", "Feedback-ID", "List-Archive", "List-ID", "List-Unsubscribe", "List-Unsubscribe-Post"}
    assert lists.isdisjoint(message.keys())


def test_each_link_carries_its_own_token() -> None:
    text, html = parts(parsed(merged(LETTER)))
    assert f"https://track.example.org/c/{token(0).decode()}\n" in text
    assert f'href="https://track.example.org/c/{token(1).decode()}"' in html
    assert f"https://track.example.org/o/{token(70_001).decode()}.gif" in html
    agrees(LETTER)


def test_two_readers_share_everything_but_their_values() -> None:
    program = compile_program(LETTER, headers=HEADERS)
    one = program.message(reader(LETTER))
    two = program.message(reader(LETTER, address="ben+news@reader.example1"))
    assert one.replace(b"cleo+news@reader.example", b"X") == two.replace(b"ben+news@reader.example1", b"X")


def test_the_date_moves_without_compiling_again() -> None:
    program = compile_program(LETTER, headers=HEADERS).at(MOMENT + timedelta(hours=3))
    assert parsed(program.message(reader(LETTER)))["Date"].datetime == MOMENT + timedelta(hours=3)


def test_the_boundary_is_the_editions_and_the_same_every_time() -> None:
    assert merged(LETTER) == merged(LETTER)
    boundary = re.compile(rb'boundary="([^"]+)"')
    (first,) = boundary.findall(merged(LETTER))
    (second,) = boundary.findall(merged(replace(LETTER, text="Other [[dl:leave]]\n")))
    assert first != second


@pytest.mark.parametrize(
    "line",
    [
        ".", "..", ".hidden", "From here on", "From ", "=", "=2E", "a=b==", "trailing   ", "\ttab\t", "two  spaces",
        "x" * 74 + ".", "x" * 75 + ".y", "x" * 75 + "From z", "é" * 200, "🇪🇹" * 90, "عاجل " * 60, "=" * 300, "." * 300,
        "--=_dateline_", "--", "a\u2028b", "\x85", "\x7f\x00\x01\x0b", "\ufeffx",
    ],
)  # fmt: skip
@pytest.mark.parametrize("padding", [0, 1, 2, 3, 40])
def test_a_hard_line_comes_back_as_it_was(line: str, padding: int) -> None:
    body = f"{'y' * padding}{line}\n{line}[[dl:c0]]{line}[[dl:c1]][[dl:c0]]\n{'z' * padding}[[dl:leave]]{line}"
    agrees(replace(LETTER, text=body, html=f"<p>{body}</p>"))


TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=120)
BLANKS = st.sampled_from(["[[dl:c0]]", "[[dl:c1]]", "[[dl:leave]]", "[[dl:name]]", "[[dl:open]]", "[[dl:view]]"])
EDGES = st.sampled_from([".", "=", "\n", "\r\n", " ", "  ", "x" * 73, "x" * 75, "From ", "=\r\n", "--", "\n."])
BODY = st.lists(TEXT | BLANKS | EDGES, max_size=12).map("".join)


@settings(max_examples=150, deadline=None)
@given(text=BODY, html=BODY, name=TEXT)
def test_any_part_comes_back_as_it_was_previewed(text: str, html: str, name: str) -> None:
    shown = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", name).split())[:60]
    rendered = replace(LETTER, text=text, html=html)
    data = merged(rendered, name=name)
    fit_for_the_wire(data)
    values = reader(rendered, name=shown)
    got_text, got_html = parts(parsed(data))
    assert got_text == same_lines(preview_text(rendered, doors=DOORS, values=values))
    assert got_html == same_lines(preview(rendered, doors=DOORS, values=values))


NASTY = st.sampled_from(
    [
        "Ministers & <script>alert('x')</script> \"agree\"", "AT&amp;T = <b>bold</b>", ".dot", "trailing =  ",
        "عاجل: اتفاق على المياه", "🇪🇹👩‍👩‍👧 family talks 🎻", "L" * 180, "a\r\nBcc: x@example.org", "[[dl:leave]]", "--\n.",
        "日本語の見出しは空白がないので折り返せない" * 6, "=?utf-8?q?not_a_word?=", "", "“quotes” — dashes…",
    ]
)  # fmt: skip
STORIES = st.builds(
    Story,
    headline=NASTY | TEXT,
    url=st.sampled_from(["https://c.example/1", "https://c.example/?a=1&b='2'", "javascript:x", ""]),
    standfirst=NASTY | TEXT,
    place=NASTY,
    label=NASTY,
    authors=st.tuples(NASTY),
    section=st.tuples(NASTY),
    language=st.sampled_from(["", "en", "ar", "x y"]),
    picture=st.none() | st.builds(Picture, url=st.just("https://p.example/a.jpg"), alt=NASTY, credit=NASTY),
)
BLOCKS = st.builds(
    FilledBlock,
    kind=st.sampled_from(["lead", "top", "section", "popular", "related", "opinion", "sponsor", "note"]),
    title=NASTY,
    note=NASTY,
    stories=st.lists(STORIES, max_size=3).map(tuple),
)


@settings(max_examples=80, deadline=None)
@given(blocks=st.lists(BLOCKS, max_size=4), subject=NASTY | TEXT, rtl=st.booleans())
def test_the_nastiest_edition_arrives_as_previewed(blocks: list[FilledBlock], subject: str, rtl: bool) -> None:
    masthead = Masthead(
        name="Dispatch", slug="d", publisher="R & Co", home_url="https://c.example/", postal_address="1 Row",
        language="ar" if rtl else "en", direction="rtl" if rtl else "ltr",
    )  # fmt: skip
    content = EditionContent(
        masthead=masthead, slot_at=MOMENT, subject=subject, preheader=subject, blocks=tuple(blocks)
    )
    agrees(render(content, origin_links=LinkTable()))


@settings(max_examples=80, deadline=None)
@given(blocks=st.lists(BLOCKS, max_size=6), order=st.lists(st.integers(1, 7), max_size=7, unique=True).map(tuple))
def test_any_arrangement_of_the_nastiest_edition_arrives_as_previewed(
    blocks: list[FilledBlock], order: tuple[int, ...]
) -> None:
    masthead = Masthead(name="D", slug="d", publisher="R", home_url="https://c.example/", postal_address="1 Row")
    content = EditionContent(masthead=masthead, slot_at=MOMENT, subject="s", preheader="p", blocks=tuple(blocks))
    rendered = render(content, origin_links=LinkTable())
    filled = {n for n, block in enumerate(content.blocks, start=1) if block.stories or block.note.strip()}
    assert {*rendered.segments()[0].blocks} <= filled
    agrees(rendered, blocks=order)


SEGMENT = st.lists(TEXT.map(lambda text: text.replace("[[dl:b", "")) | BLANKS | EDGES, max_size=6).map("".join)


def marked(segments: list[str]) -> str:
    """Head, blocks numbered from 1, tail."""
    first, *blocks, last = segments
    return first + "".join(f"\n[[dl:b{n}]]\n{block}" for n, block in enumerate(blocks, start=1)) + f"[[dl:b0]]{last}"


@settings(max_examples=150, deadline=None)
@given(
    parts=st.integers(2, 7).flatmap(lambda count: st.tuples(*[st.lists(SEGMENT, min_size=count, max_size=count)] * 2)),
    order=st.lists(st.integers(1, 6), max_size=6, unique=True).map(tuple),
    name=st.sampled_from(["", "Zoë & <Ben>", "From .", "😀" * 70]),
)
def test_any_arrangement_of_any_segments_comes_back_as_it_was_previewed(
    parts: tuple[list[str], list[str]], order: tuple[int, ...], name: str
) -> None:
    rendered = replace(LETTER, text=marked(parts[0]), html=marked(parts[1]))
    for blocks in (None, order, ()):
        agrees(rendered, blocks=blocks, name=" ".join(name.split())[:60])


def test_a_rendering_without_markers_has_one_arrangement() -> None:
    assert merged(LETTER, blocks=(2, 1)) == merged(LETTER)


def test_arrangements_are_kept_the_latest_used_and_not_more() -> None:
    parts = marked(["head", *[f"block {n} [[dl:c1]]" for n in range(1, 8)], "tail"])
    program = compile_program(replace(LETTER, text=parts, html=parts), headers=HEADERS)
    wanted = list(permutations(range(1, 8), 3))
    first = program.arranged(wanted[0])
    for blocks in wanted[:MOST_ARRANGEMENTS]:
        program.arranged(blocks)
    assert program.arranged(wanted[0]) is first
    program.arranged(wanted[MOST_ARRANGEMENTS])
    assert program.arranged(wanted[0]) is first, "it was used a moment ago"
    for blocks in wanted:
        program.arranged(blocks)
    assert program.arranged(wanted[0]) is not first
    assert len(program._kept) == MOST_ARRANGEMENTS
    assert program.arranged(wanted[0]).message(reader(LETTER)) == first.message(reader(LETTER))


def test_arrangements_share_their_chunks() -> None:
    """Memory stays flat: an arrangement is a list of references."""
    parts = marked(["head", "é" * 5000, "ü" * 5000, "tail"])
    program = compile_program(replace(LETTER, text=parts, html=parts), headers=HEADERS)
    ours = {id(chunk) for chunk in program.chunks}
    assert {id(chunk) for chunk in program.arranged((2, 1)).chunks} <= ours


def test_an_arrangement_keeps_the_moment_of_its_program() -> None:
    parts = marked(["head", "one", "two", "tail"])
    later = compile_program(replace(LETTER, text=parts, html=parts), headers=HEADERS).at(MOMENT + timedelta(hours=3))
    data = later.arranged((2, 1)).message(reader(LETTER))
    assert parsed(data)["Date"].datetime == MOMENT + timedelta(hours=3)


@settings(max_examples=200, deadline=None)
@given(subject=NASTY | TEXT)
def test_any_subject_is_folded_and_comes_back(subject: str) -> None:
    subject = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", subject).split())
    data = merged(replace(LETTER, subject=subject))
    head = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert all(len(line) <= 78 for line in head)
    assert parsed(data)["Subject"] == subject


@settings(max_examples=200, deadline=None)
@given(name=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), min_size=1, max_size=70))
def test_any_sender_name_comes_back(name: str) -> None:
    message = message_from_bytes(merged(LETTER, headers=replace(HEADERS, sender_name=name)))
    #: Decoded by the older parser: the newer one of Python 3.11 keeps the space between two encoded words of a phrase.
    phrase, address = parseaddr(message["From"])
    assert (str(make_header(decode_header(phrase))), address) == (name, "morning@news.example.org")


@pytest.mark.parametrize(
    "name", ["", "Cleo", "<b>Cleo</b> & Ben", "=2E.", "Zoë 👩‍👩‍👧", "x" * 500, "a\r\n.\r\nb", "😀" * 90]
)
def test_a_readers_name_is_escaped_capped_and_kept_on_its_own_lines(name: str) -> None:
    shown = " ".join(name.split())[:60]
    rendered = replace(LETTER, text="Dear [[dl:name]], hello\n", html="<p>Dear [[dl:name]],</p>\n")
    data = merged(rendered, name=name)
    fit_for_the_wire(data)
    text, html = parts(parsed(data))
    assert text == f"Dear {shown}, hello\n"
    assert "<b>" not in html
    assert html == preview(rendered, doors=DOORS, values=reader(rendered, name=shown))


BAD_READERS: list[dict[str, Any]] = [
    {"address": bad}
    for bad in (
        "", "a", "a@", "@b", "a@b c", "a@b\r\nBcc: x@y", "a@b\n", "<a@b>", "a@b,c@d", "a@b>", '"a b"@c', "a\u00a0b@c.example", "a\u202eb@c.example", "ä@bä.example",
        "a@b\0", "a..b@c", ".a@b", "a@-b", "x" * 250 + "@b.example",
    )
]  # fmt: skip
BAD_READERS += [
    {"message_id": bad}
    for bad in ("", "a@b", "<a@b>\r\nBcc: x@y", "<a b@c>", "<a@b> <c@d>", "<a>", "<" + "a" * 250 + "@b>")
]
BAD_READERS += [
    {name: bad}
    for name in ("open_token", "leave_token", "view_token")
    for bad in (
        b"",
        b"A" * 25,
        b"A" * 27,
        b"A" * 24 + b"\r\n",
        b"A" * 25 + b"=",
        b"A" * 25 + b" ",
        b"A" * 25 + b"\xff",
    )
]
BAD_READERS += [
    {"tokens": bad}
    for bad in ([], [b"A" * 26], [b"A" * 25, b"A" * 27], [b"A" * 26, b"A" * 25 + b">"], [b"A" * 26, b""])
]


@pytest.mark.parametrize("changes", BAD_READERS)
def test_a_reader_whose_values_could_break_out_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnusableReader):
        merged(LETTER, **changes)


@given(address=st.text(max_size=30).map(lambda text: text + "@b.example") | st.text(max_size=40))
def test_an_address_that_is_taken_is_one_mailbox(address: str) -> None:
    try:
        data = merged(LETTER, address=address)
    except UnusableReader:
        return
    message = message_from_string(data.decode(), policy=policy.SMTPUTF8)
    assert message["To"].addresses[0].addr_spec == address
    assert message.keys() == NAMES


BAD_HEADERS: list[tuple[str, Callable[[EditionHeaders], EditionHeaders]]] = [
    ("sender", lambda headers: replace(headers, sender="a@b\r\nX: y")),
    ("sender name", lambda headers: replace(headers, sender_name="a\nb")),
    ("reply to", lambda headers: replace(headers, reply_to="a b@c")),
    ("list id", lambda headers: replace(headers, list_id="a>\r\nX: y")),
    ("list name", lambda headers: replace(headers, list_name="a\0")),
    ("leave mailbox", lambda headers: replace(headers, leave_mailbox="nobody")),
    ("archive", lambda headers: replace(headers, archive_url="https://news.example/a>,\r\n <https://b.example/")),
    ("feedback id", lambda headers: replace(headers, feedback_id="a\nb")),
]


@pytest.mark.parametrize(("name", "changed"), BAD_HEADERS)
def test_a_setting_that_could_break_out_is_refused(
    name: str, changed: Callable[[EditionHeaders], EditionHeaders]
) -> None:
    with pytest.raises(UnusableHeader):
        compile_program(LETTER, headers=changed(HEADERS))


@pytest.mark.parametrize("changes", [{"subject": "a\r\nBcc: x@y"}, {"subject": "a\u2028b"}, {"language": "en\r\n"}])
def test_an_edition_that_could_break_out_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(UnusableHeader):
        compile_program(replace(LETTER, **changes), headers=HEADERS)  # type: ignore[arg-type]


def test_nothing_is_shared_between_two_messages_of_one_program() -> None:
    program: Program = compile_program(LETTER, headers=HEADERS)
    before = program.message(reader(LETTER))
    program.message(reader(LETTER, address="other@reader.example"))
    assert program.message(reader(LETTER)) == before
    assert program.at(datetime(2026, 1, 1, tzinfo=UTC)).chunks == program.chunks
