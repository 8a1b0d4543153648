"""Hostile bytes and markup made plain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.raw.markup import absolute, clean_html, decode, depth, from_json, plain, strip_control


@pytest.mark.parametrize(
    ("data", "content_type", "text"),
    [
        ("café".encode(), "", "café"),
        ("café".encode("latin-1"), "text/html; charset=iso-8859-1", "café"),
        ("“café”".encode("cp1252"), "text/html; charset=iso-8859-1", "“café”"),
        ("café".encode("latin-1"), "text/xml; charset=utf-8", "café"),
        ("\ufeffcafé".encode(), "text/xml; charset=iso-8859-1", "café"),
        ("café".encode("utf-16"), "text/xml; charset=utf-8", "café"),
        ("<?xml version='1.0'?>é".encode("utf-16-le"), "", "<?xml version='1.0'?>é"),
        (b"<meta charset='windows-1251'>" + "Паром".encode("cp1251"), "", "<meta charset='windows-1251'>Паром"),
        ("渡轮".encode("gbk"), "text/html; charset=gb2312", "渡轮"),
        ("café".encode(), "text/html; charset=idna", "café"),
        ("café".encode(), "text/html; charset=nonsense", "café"),
        ("Ünlü çağrı".encode("cp1254"), "text/html; charset=iso-8859-9", "Ünlü çağrı"),
        (b"caf\xc3\xa9 \x93quoted\x94 caf\xc3\xa9", "", "café “quoted” café"),
        (b"", "", ""),
    ],
)
def test_bytes_are_decoded_as_they_were_meant(data: bytes, content_type: str, text: str) -> None:
    assert decode(data, content_type=content_type)[0] == text


def test_a_wrong_charset_is_told() -> None:
    assert decode(b"caf\xe9", content_type="text/xml; charset=utf-8")[1] == (
        "bytes that are not utf-8 were read as windows-1252",
    )


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a <b>b</b> c", "a b c"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("<p>a</p><p>b</p>", "a b"),
        ("caf&eacute; &amp;amp;", "café &amp;"),
        ("a<script>x()</script>b", "ab"),
        ("a<br>b", "a b"),
        ("", ""),
    ],
)
def test_words_are_taken_out_of_markup(markup: str, text: str) -> None:
    assert plain(markup) == text


def test_only_the_allow_list_survives() -> None:
    hostile = "<p style='x' onclick='y()'>a<iframe src='//e'></iframe><svg><script>z()</script></svg><a href='javascript:q()'>b</a><a href='/c'>c</a><img src='data:x'></p><nav>menu</nav><form>e-mail</form>"
    assert clean_html(hostile, base="https://n.example/s/") == (
        '<p>a<a rel="noopener noreferrer nofollow">b</a><a href="https://n.example/c" rel="noopener noreferrer nofollow">c</a></p>'
    )


def test_a_blank_line_stands_where_a_forbidden_block_did() -> None:
    assert clean_html("<h1>a</h1><div>b</div><div><section><p>c</p></section></div>") == "a\n\nb\n\n<p>c</p>"


def test_a_tag_of_thousands_of_attributes_is_taken_as_words() -> None:
    assert clean_html("<p>a</p><b " + "c " * 10_000 + ">d</b>") == "<p> a  d </p>"
    assert "d" in plain("a <b " + "c=1 " * 10_000 + ">d</b>")


def test_half_a_character_is_no_character() -> None:
    assert from_json('{"a\\ud83d": ["\\ud83d\\ude00", "b\\ude00"]}') == {"a": ["😀", "b"]}
    with pytest.raises(ValueError, match="deep"):
        from_json("[" * 100_000)


def test_deep_markup_is_flattened_not_parsed() -> None:
    assert clean_html("<div>" * 5_000 + "deep") == "<p>" + " " * 5_000 + "deep</p>"


def test_depth_counts_as_a_browser_closes() -> None:
    assert depth("<p>a<p>b<br><img>" * 50, stop_at=20) == 1
    assert depth("<div>" * 30, stop_at=20) == 20
    assert depth("<a></a>" * 30, stop_at=20) == 1
    assert depth("<![CDATA[" + "<b>" * 50 + "]]>", stop_at=20) == 0


@pytest.mark.parametrize(
    ("address", "base", "found"),
    [
        ("/a", "https://n.example/b/", "https://n.example/a"),
        ("a", None, None),
        ("", "https://n.example/", None),
        ("javascript:x", "https://n.example/", None),
        ("http://[", None, None),
        ("//c.example/x", "https://n.example/", "https://c.example/x"),
        ("mailto:a@b.example", None, "mailto:a@b.example"),
    ],
)
def test_an_address_is_absolute_or_nothing(address: str, base: str | None, found: str | None) -> None:
    assert absolute(address, base=base) == found


def test_forbidden_characters_go_however_they_are_written() -> None:
    assert strip_control("a\x00b\x1ec&#30;&#x1F;&#0;d&#10;\n\te\ud800") == "abcd&#10;\n\te"


@given(st.binary(max_size=200), st.text(max_size=40))
def test_any_bytes_decode_without_forbidden_characters(data: bytes, charset: str) -> None:
    text, _ = decode(data, content_type=f"text/html; charset={charset}")
    assert strip_control(text) == text


@given(st.text(max_size=300))
def test_any_text_is_cleaned_once_and_for_all(text: str) -> None:
    once = clean_html(text, base="https://n.example/")
    assert clean_html(once, base="https://n.example/") == once
