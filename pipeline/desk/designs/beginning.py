"""What a design of a newsroom's own begins as: short, whole, and nothing wrong with it."""

from __future__ import annotations

START = """<mjml lang="{{ language }}" dir="{{ direction }}">
<mj-head>
  <mj-title>{{ edition.subject }}</mj-title>
  <mj-preview>{{ edition.preheader }}</mj-preview>
  <mj-attributes>
    <mj-all font-family="Georgia, serif" color="{{ look.ink }}"/>
    <mj-text font-size="16px" line-height="1.5" align="{{ start }}"/>
  </mj-attributes>
</mj-head>
<mj-body width="600px" background-color="{{ look.paper }}">
  <mj-raw><img src="[[dl:open]]" alt="" width="1" height="1"/></mj-raw>
  <mj-section>
    <mj-column>
      <mj-text align="center" font-size="32px" font-weight="700">{{ masthead.name }}</mj-text>
      <mj-text align="center" font-size="14px" color="{{ look.soft }}">{{ date }}</mj-text>
      <mj-divider border-color="{{ look.accent }}" border-width="2px"/>
    </mj-column>
  </mj-section>
  <mj-wrapper>
{% for block in blocks %}
    <mj-raw>[[dl:b{{ block.position }}]]</mj-raw>
{% if block.heading %}
    <mj-section padding-bottom="0"><mj-column><mj-text font-weight="700" color="{{ look.accent }}">{{ block.heading }}</mj-text></mj-column></mj-section>
{% endif %}
{% for paragraph in block.paragraphs %}
    <mj-section><mj-column><mj-text>{{ paragraph }}</mj-text></mj-column></mj-section>
{% endfor %}
{% for placed in block.stories %}
    <mj-section padding="8px 0">
      <mj-column>
{% if placed.story.picture and block.kind == "lead" %}
        <mj-image src="{{ placed.story.picture.url }}" alt="{{ placed.story.picture.alt }}"/>
{% endif %}
        <mj-text {% if placed.turned %}align="{{ placed.start }}"{% endif %} font-size="20px" line-height="1.3"><a href="{{ placed.href }}" style="color: {{ look.ink }}">{{ placed.story.headline }}</a></mj-text>
{% if placed.story.standfirst %}
        <mj-text {% if placed.turned %}align="{{ placed.start }}"{% endif %} padding-top="0">{{ placed.story.standfirst }}</mj-text>
{% endif %}
      </mj-column>
    </mj-section>
{% endfor %}
{% endfor %}
    <mj-raw>[[dl:b0]]</mj-raw>
  </mj-wrapper>
  <mj-section>
    <mj-column>
      <mj-text align="center" font-size="14px" color="{{ look.soft }}">
        {{ why }}<br/>
        <a href="[[dl:leave]]">{{ words.leave }}</a> · <a href="[[dl:prefs]]">{{ words.preferences }}</a> · <a href="[[dl:view]]">{{ words.view }}</a><br/>
        {% for part in signature %}{{ part }}<br/>{% endfor %}

      </mj-text>
    </mj-column>
  </mj-section>
</mj-body>
</mjml>
"""
