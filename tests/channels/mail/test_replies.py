"""Pure: replies cut from bytes, what EHLO announces, what is refused before a byte is sent."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels.base import Envelope, Outcome
from pipeline.channels.mail.replies import LINE_LIMIT, LINES_LIMIT, Features, Reply, ReplyError, ReplyReader

CODES = st.integers(200, 599)
TEXT = st.binary(max_size=40).map(lambda raw: bytes(b for b in raw if b == 9 or 32 <= b != 127))
REPLIES = st.tuples(CODES, st.lists(TEXT, min_size=1, max_size=4).map(tuple)).map(lambda pair: Reply(*pair))


def spoken(reply: Reply) -> bytes:
    *first, last = reply.lines
    return b"".join(b"%d-%s\r\n" % (reply.code, line) for line in first) + b"%d %s\r\n" % (reply.code, last)


def heard(pieces: list[bytes]) -> tuple[list[Reply], bool]:
    """The replies in a stream, and whether it ended in garbage."""
    reader, replies = ReplyReader(), []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (reply := reader.take()) is not None:
                replies.append(reply)
        except ReplyError:
            return replies, True
    return replies, False


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    return [stream[a:b] for a, b in pairwise(edges)]


@given(st.lists(REPLIES, max_size=6), st.lists(st.integers(0, 400), max_size=12))
def test_any_chunking_gives_the_replies_that_were_spoken(replies: list[Reply], places: list[int]) -> None:
    stream = b"".join(map(spoken, replies))
    assert heard(cut(stream, places)) == (replies, False)
    assert heard([stream[i : i + 1] for i in range(len(stream))]) == (replies, False)


MOSTLY_SMTP = st.lists(
    st.one_of(
        REPLIES.map(spoken),
        st.sampled_from([b"\n", b"\r", b"250", b"250-", b" ", b"-", b"\0"]),
        st.binary(max_size=9),
    )
).map(b"".join)


@given(st.one_of(st.binary(max_size=300), MOSTLY_SMTP), st.lists(st.integers(0, 300), max_size=12))
def test_arbitrary_bytes_give_the_same_replies_and_the_same_error_however_they_arrive(
    stream: bytes, places: list[int]
) -> None:
    whole = heard([stream])
    assert heard(cut(stream, places)) == whole
    assert heard([stream[i : i + 1] for i in range(len(stream))]) == whole


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n",
        b"250 ok\n",
        b"250 a\rb\r\n",
        b"250 nul\0\r\n",
        b"\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"250ok\r\n",
        b"150 ok\r\n",
        b"650 ok\r\n",
        b"250-a\r\n251 b\r\n",
        b"250-a\r\n\r\n",
        b" 250 ok\r\n",
        b"250 " + b"x" * LINE_LIMIT,
        b"250-more\r\n" * (LINES_LIMIT + 1),
    ],
)
def test_what_is_not_smtp_is_an_error_and_stays_one(garbage: bytes) -> None:
    reader = ReplyReader()
    reader.feed(b"220 hello\r\n" + garbage)
    assert reader.take() == Reply(220, (b"hello",))
    for _ in range(2):
        with pytest.raises(ReplyError):
            reader.take()
    assert reader.pending


@pytest.mark.parametrize("length", [LINE_LIMIT, LINE_LIMIT + 1])
def test_a_line_may_reach_the_limit_and_no_further_however_it_arrives(length: int) -> None:
    line = b"250 " + b"x" * (length - 6) + b"\r\n"
    expected = length > LINE_LIMIT
    assert heard([line])[1] is heard([line[:-1], line[-1:]])[1] is expected


@pytest.mark.parametrize(
    ("line", "enhanced", "text"),
    [
        (b"250 2.0.0 Ok: queued", "2.0.0", "Ok: queued"),
        (b"550 5.1.1 <a@b>: no such user", "5.1.1", "<a@b>: no such user"),
        (b"452 4.2.2", "4.2.2", ""),
        (b"550 4.1.1 mixed up", "", "mixed up"),
        (b"550 5.1.1no", "", "5.1.1no"),
        (b"250", "", ""),
        (b"571 5.7.1 policy", "5.7.1", "policy"),
        ("550 5.7.1 sp\u00e4ter".encode(), "5.7.1", "sp\u00e4ter"),
        (b"550 5.7.1 \xff", "5.7.1", "\ufffd"),
    ],
)
def test_the_enhanced_code_counts_only_where_it_agrees_with_the_reply(line: bytes, enhanced: str, text: str) -> None:
    reader = ReplyReader()
    reader.feed(line + b"\r\n")
    reply = reader.take()
    assert reply is not None
    assert (reply.enhanced, reply.text) == (enhanced, text)


def test_a_long_refusal_is_one_line_of_bounded_text() -> None:
    reply = Reply(550, (b"5.7.1 first", b"5.7.1 second", b"x" * 900))
    receipt = reply.refusal(7)
    assert (receipt.key, receipt.outcome, receipt.code, receipt.enhanced) == (
        7,
        Outcome.POLICY,
        550,
        "5.7.1",
    )
    assert receipt.text.startswith("first second xxx")
    assert len(receipt.text) == 500


@pytest.mark.parametrize(
    ("lines", "features"),
    [
        ((b"host PIPELINING",), Features()),
        ((b"host", b"PIPELINING", b"chunking", b"8BITMIME", b"SMTPUTF8", b"STARTTLS", b"DSN"),
         Features(pipelining=True, chunking=True, eight_bit=True, utf8=True, starttls=True, dsn=True)),
        ((b"host", b"SIZE 1000"), Features(size=1000)),
        ((b"host", b"SIZE"), Features(size=0)),
        ((b"host", b"SIZE 12x"), Features(size=0)),
        ((b"host", b"AUTH PLAIN login"), Features(auth=frozenset({"PLAIN", "LOGIN"}))),
        ((b"host", b"AUTH=LOGIN", b"AUTH PLAIN"), Features(auth=frozenset({"PLAIN", "LOGIN"}))),
        ((b"host", b"", b"XPIPELINING", b"\xff\xfe"), Features()),
    ],
)  # fmt: skip
def test_features_are_read_as_announced(lines: tuple[bytes, ...], features: Features) -> None:
    assert Features.announced(Reply(250, lines)) == features


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_no_announcement_breaks_the_reader_of_features(lines: list[bytes]) -> None:
    assert Features.announced(Reply(250, tuple(lines))).size in (None, 0) or any(b"SIZE" in x.upper() for x in lines)


def envelope(sender: str = "news@example.com", recipient: str = "a@example.org", data: bytes = b"x\r\n") -> Envelope:
    return Envelope(key=1, sender=sender, recipient=recipient, data=data)


ALL = Features(eight_bit=True, utf8=True, size=0)


@pytest.mark.parametrize(
    "address",
    ["a@b\r\nRCPT TO:<x@y>", "a@b\n", "a b@c", "a\t@b", "a\0@b", "a\x7f@b", "a\x85@b", "<a@b>", "a>@b", "a\u2028@b",
     "a\u00a0@b", "a\ud800@b", "a" * 255, "\u00e9" * 130],
)  # fmt: skip
def test_an_address_that_could_break_out_of_its_line_is_refused_as_either_party(address: str) -> None:
    for refused in (envelope(recipient=address), envelope(sender=address)):
        receipt = ALL.objection(refused)
        assert receipt is not None
        assert (receipt.outcome, receipt.code, receipt.enhanced) == (Outcome.REFUSED, 0, "5.1.3")
        assert "address" in receipt.text


@pytest.mark.parametrize(
    ("features", "asked", "enhanced"),
    [
        (ALL, envelope(), ""),
        (ALL, envelope(sender=""), ""),
        (ALL, envelope(recipient=""), "5.1.3"),
        (ALL, envelope(recipient="j\u00f6rg@example.org"), ""),
        (Features(), envelope(recipient="j\u00f6rg@example.org"), "5.6.7"),
        (Features(), envelope(sender="j\u00f6rg@example.org"), "5.6.7"),
        (ALL, envelope(data=b"no end"), "5.6.0"),
        (ALL, envelope(data=b"\xc3\xa9\r\n"), ""),
        (Features(), envelope(data=b"\xc3\xa9\r\n"), "5.6.3"),
        (Features(size=10), envelope(data=b"12345678\r\n"), ""),
        (Features(size=10), envelope(data=b"123456789\r\n"), "5.3.4"),
        (Features(size=0), envelope(data=b"123456789\r\n"), ""),
    ],
)
def test_what_the_server_never_announced_is_refused_here(features: Features, asked: Envelope, enhanced: str) -> None:
    receipt = features.objection(asked)
    assert (receipt.enhanced if receipt else "") == enhanced


@given(st.text(max_size=30), st.text(max_size=30), st.binary(max_size=30))
def test_what_passes_is_two_lines_that_say_these_addresses(sender: str, recipient: str, data: bytes) -> None:
    asked = envelope(sender, recipient, data + b"\r\n")
    if ALL.objection(asked) is None:
        mail, rcpt = ALL.commands(asked)
        assert (mail + rcpt).count(b"\n") == (mail + rcpt).count(b"\r\n") == 2
        assert mail.startswith(b"MAIL FROM:<" + sender.encode() + b">")
        assert rcpt == b"RCPT TO:<" + recipient.encode() + b">\r\n"


@pytest.mark.parametrize(
    ("features", "asked", "mail"),
    [
        (Features(), envelope(), b"MAIL FROM:<news@example.com>\r\n"),
        (ALL, envelope(), b"MAIL FROM:<news@example.com> SIZE=3\r\n"),
        (ALL, envelope(data=b"\xe9\r\n"), b"MAIL FROM:<news@example.com> SIZE=3 BODY=8BITMIME\r\n"),
        (ALL, envelope(recipient="\u00e9@b"), b"MAIL FROM:<news@example.com> SIZE=3 SMTPUTF8\r\n"),
    ],
)
def test_mail_carries_the_parameters_it_needs_and_no_other(features: Features, asked: Envelope, mail: bytes) -> None:
    assert features.commands(asked)[0] == mail


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (b"550 5.1.1 no such user", Outcome.REFUSED),
        (b"550 5.1.1 spam trap for nobody", Outcome.REFUSED),
        (b"550 no such user", Outcome.REFUSED),
        (b"552 5.2.2 mailbox full", Outcome.REFUSED),
        (b"550 5.7.515 Access denied, sending domain does not meet the required authentication level", Outcome.POLICY),
        (b"550-5.7.26 unauthenticated", Outcome.POLICY),
        (b"554 5.7.1 [spam]", Outcome.POLICY),
        (b"571 message blocked by our spam filter", Outcome.POLICY),
        (b"554 Service unavailable; Client host blocked using a DNSBL", Outcome.POLICY),
        (b"550 relaying denied", Outcome.POLICY),
        (b"554 5.0.0 rejected: DMARC policy", Outcome.POLICY),
        (b"421 4.7.0 try again later", Outcome.DEFERRED),
        (b"450 4.7.28 unusual rate of spam", Outcome.DEFERRED),
    ],
)
def test_what_blames_us_is_told_from_what_blames_a_reader(line: bytes, outcome: Outcome) -> None:
    reply = Reply(int(line[:3]), (line[4:],))
    assert reply.refusal(1).outcome is outcome


DSN = Features(dsn=True)


@pytest.mark.parametrize(
    ("asked", "mail", "rcpt"),
    [
        (envelope("b+1.2.ab@x"), b" RET=HDRS ENVID=b+2B1.2.ab", b" NOTIFY=FAILURE ORCPT=rfc822;a@example.org"),
        (envelope("", "a+b=c@d"), b" RET=HDRS ENVID=1", b" NOTIFY=FAILURE ORCPT=rfc822;a+2Bb+3Dc@d"),
        (envelope(recipient="a" * 100 + "@b"), b" RET=HDRS ENVID=news", b" NOTIFY=FAILURE"),
    ],
)
def test_return_mail_is_named_in_xtext(asked: Envelope, mail: bytes, rcpt: bytes) -> None:
    said = DSN.commands(asked)
    assert said[0].endswith(b">" + mail + b"\r\n")
    assert said[1].endswith(b">" + rcpt + b"\r\n")
