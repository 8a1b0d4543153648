"""SPF as receivers evaluate it (RFC 7208)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels.domain.spf import result_of, with_mechanism
from tests.channels.domain.conftest import Asked

OURS = "192.0.2.10"
#: record at a.example, and other records -> result for OURS
CASES = [
    ("v=spf1 ip4:192.0.2.10 -all", {}, "pass"),
    ("v=spf1 ip4:192.0.2.0/24 -all", {}, "pass"),
    ("v=spf1 ip4:198.51.100.0/24 -all", {}, "fail"),
    ("v=spf1 ip4:198.51.100.0/24 ~all", {}, "softfail"),
    ("v=spf1 ip6:2001:db8::/32 ?all", {}, "neutral"),
    ("v=spf1 ip4:198.51.100.1", {}, "neutral"),
    ("v=spf1 a -all", {("a.example", "A"): [OURS]}, "pass"),
    ("v=spf1 a:mail.a.example/24 -all", {("mail.a.example", "A"): ["192.0.2.77"]}, "pass"),
    ("v=spf1 mx -all", {("a.example", "MX"): ["10 mx.a.example."], ("mx.a.example", "A"): [OURS]}, "pass"),
    ("v=spf1 include:p.example -all", {("p.example", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 -all"']}, "pass"),
    ("v=spf1 include:p.example -all", {("p.example", "TXT"): ['"v=spf1 -all"']}, "fail"),
    ("v=spf1 include:p.example -all", {}, "permerror"),
    ("v=spf1 redirect=p.example", {("p.example", "TXT"): ['"v=spf1 ip4:192.0.2.10 -all"']}, "pass"),
    ("v=spf1 redirect=p.example", {}, "permerror"),
    ("v=spf1 exists:yes.example -all", {("yes.example", "A"): ["127.0.0.2"]}, "pass"),
    ("v=spf1 ptr -all", {("10.2.0.192.in-addr.arpa", "PTR"): ["mail.a.example."]}, "pass"),
    ("v=spf1 ipv4:192.0.2.10 -all", {}, "permerror"),
    ("v=spf1 ip4:192.0.2 -all", {}, "permerror"),
    ("v=spf1 a:x.example a:y.example a:z.example -all", {}, "permerror"),
    ("v=spf1 " + "a:h.example " * 11 + "-all", {("h.example", "A"): ["198.51.100.1"]}, "permerror"),
    ("v=spf1 include:a.example -all", {}, "permerror"),
    ("V=SPF1 +ALL", {}, "pass"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "others", "result"), CASES)
def test_result(ask: Asked, record: str, others: dict[tuple[str, str], list[str] | str], result: str) -> None:
    names = ask({("a.example", "TXT"): [f'"{record}"', '"other=1"'], **others})
    assert result_of("a.example", OURS, names)[0] == result


def test_several_records_are_an_error_and_none_is_none(ask: Asked) -> None:
    names = ask({("a.example", "TXT"): ['"v=spf1 -all"', '"v=spf1 +all"'], ("b.example", "TXT"): ['"hello"']})
    assert result_of("a.example", OURS, names)[0] == "permerror"
    assert result_of("b.example", OURS, names) == ("none", "")


@pytest.mark.parametrize(
    ("record", "better"),
    [
        ("", "v=spf1 ip4:1.2.3.4 -all"),
        ("v=spf1 mx ~all", "v=spf1 mx ip4:1.2.3.4 ~all"),
        ("v=spf1 redirect=p.example", "v=spf1 ip4:1.2.3.4 redirect=p.example"),
        ("v=spf1 mx", "v=spf1 mx ip4:1.2.3.4"),
    ],
)
def test_a_mechanism_is_put_where_it_is_read(record: str, better: str) -> None:
    assert with_mechanism(record, "ip4:1.2.3.4") == better


class Nobody:
    def texts(self, _name: str) -> list[str]:
        return [self.record]

    def addresses(self, _name: str) -> list[str]:
        return []

    mail_hosts = pointers = addresses
    record = ""


@given(st.text(st.sampled_from("aimx4:/=-~all include redirect.v1%{"), max_size=60))
def test_any_record_has_a_result(text: str) -> None:
    nobody = Nobody()
    nobody.record = f"v=spf1 {text}"
    assert result_of("a.example", OURS, nobody)[0] in {"pass", "fail", "softfail", "neutral", "none", "permerror"}
