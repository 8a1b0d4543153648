"""What tells us of a reader is taken out of a message, and nothing else of it."""

from __future__ import annotations

from pipeline.delivery.message.straight import straight
from pipeline.editions.rendered import Link, Rendered

LINKS = (
    Link(number=0, url="https://news.example/?a=1&b=2", kind="story", slot="lead/1", article_id=1),
    Link(number=1, url="https://news.example/", kind="honeypot", slot="trap/1"),
    Link(number=2, url="https://news.example/", kind="home", slot="masthead/1"),
)
LETTER = Rendered(
    subject="S", preheader="", links=LINKS,
    html='<p><IMG alt="" src="[[dl:open]]" width="1"><img src="https://news.example/a.png" alt="">'
    '<A tabindex="-1" href="[[dl:c1]]"><b>The\nNews</b></A><a href="[[dl:c2]]">Home</a>'
    '<v:rect href="[[dl:c0]]"/><a href="[[dl:c0]]">A story</a><td style="background:url([[dl:open]])">'
    '<a href="[[dl:leave]]">leave</a></p>',
    text="A story\n[[dl:c0]]\n\n[[dl:leave]]\n",
)  # fmt: skip


def test_links_lead_straight_and_nothing_is_left_that_would_be_counted() -> None:
    made = straight(LETTER)
    assert made.html == (
        '<p><img src="https://news.example/a.png" alt=""><a href="https://news.example/">Home</a>'
        '<v:rect href="https://news.example/?a=1&amp;b=2"/><a href="https://news.example/?a=1&amp;b=2">A story</a>'
        '<td style="background:url()"><a href="[[dl:leave]]">leave</a></p>'
    )
    assert made.text == "A story\nhttps://news.example/?a=1&b=2\n\n[[dl:leave]]\n"
    assert made.links == ()


def test_a_message_that_counts_nothing_is_left_as_it_is() -> None:
    made = straight(LETTER)
    assert straight(made) == made
