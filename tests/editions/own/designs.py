"""Designs that editors might write."""

from __future__ import annotations

GOOD = """<mjml lang="{{ language }}" dir="{{ direction }}">
<mj-head><mj-title>{{ edition.subject }}</mj-title>
<mj-attributes><mj-all font-family="Georgia, serif"/></mj-attributes></mj-head>
<mj-body width="600px" background-color="{{ look.paper }}">
<mj-raw><img src="[[dl:open]]" alt="" width="1" height="1"/></mj-raw>
{# what follows is looped over #}
<mj-wrapper>
{% for block in blocks %}
<mj-raw>[[dl:b{{ block.position }}]]</mj-raw>
{% for paragraph in block.paragraphs %}
<mj-section><mj-column><mj-text>{{ paragraph }}</mj-text></mj-column></mj-section>
{% endfor %}
{% for placed in block.stories %}
<mj-section><mj-column>
{% if placed.story.picture %}<mj-image src="{{ placed.story.picture.url }}" alt="{{ placed.story.picture.alt }}"/>{% endif %}
<mj-text {% if placed.turned %}align="right"{% endif %}><a href="{{ placed.href }}">{{ placed.story.headline }}</a></mj-text>
</mj-column></mj-section>
{% endfor %}
{% endfor %}
<mj-raw>[[dl:b0]]</mj-raw>
</mj-wrapper>
<mj-section><mj-column><mj-text>
{{ why }} <a href="[[dl:leave]]">{{ words.leave }}</a> <a href="[[dl:view]]">{{ words.view }}</a>
{% for part in signature %}{{ part }}<br/>{% endfor %}
</mj-text></mj-column></mj-section>
</mj-body></mjml>
"""


def body(written: str) -> str:
    """A design whose body is this; what it owes its readers is missing."""
    return f"<mjml>\n<mj-body>{written}</mj-body></mjml>"


def letter(written: str) -> str:
    """A good design with this at the beginning of its second line, where text may stand."""
    return f"<mjml><mj-head><mj-title>\n{written}</mj-title></mj-head>" + GOOD[GOOD.index("\n<mj-body") :]
