"""What shows the list on other people's pages: run as they run it, in PHP and in JavaScript, on a hostile list."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.ranking import bodies
from pipeline.ranking.bodies import Story
from pipeline.ranking.shape import Placed

EXTRAS = Path(__file__).parents[2] / "extras"
PLUGIN = EXTRAS / "wordpress" / "dateline-popular" / "dateline-popular.php"
AT = datetime(2026, 4, 19, 6, 30, tzinfo=UTC)
STORIES = {
    1: Story('Fish & <script>alert("1")</script>', "https://paper.example/fish/?a=1&b=2", ["World"], AT),
    2: Story("A trap", "javascript:alert(1)", ["World"], AT),
    3: Story("An old one", "https://paper.example/old/", ["World"], AT),
}
PLACES = [Placed(1, 1, 9, "", "counted", "now"), Placed(2, 2, 8, "", "counted", "now"), Placed(3, 3, 7, "from 2019", "fallback", "today")]  # fmt: skip
#: As much of WordPress as the plugin asks for; `$answers` are what Dateline answers, one a question.
WORDPRESS = r"""<?php
define('ABSPATH', '/'); define('DATELINE_POPULAR_URL', 'https://dateline.example/');
$kept = []; $asked = []; $answers = json_decode(file_get_contents('php://stdin'), true);
function add_shortcode() {} function add_action() {} function register_uninstall_hook() {}
function untrailingslashit($t) { return rtrim($t, '/'); }
function shortcode_atts($d, $a) { return array_merge($d, array_intersect_key($a, $d)); }
function esc_html($t) { return htmlspecialchars($t, ENT_QUOTES); } function esc_attr($t) { return esc_html($t); }
function esc_url($u, $s) { return preg_match('~^https?://~', $u) ? str_replace('&', '&#038;', $u) : ''; }
function get_transient($n) { global $kept; return $kept[$n] ?? false; }
function set_transient($n, $v, $s) { global $kept; $kept[$n] = $v; }
function is_wp_error($a) { return null === $a; }
function wp_remote_get($u, $how) { global $asked, $answers; $asked[] = [$u, $how['headers']]; return array_shift($answers); }
function wp_remote_retrieve_response_code($a) { return $a['status']; }
function wp_remote_retrieve_body($a) { return $a['body']; }
function wp_remote_retrieve_header($a, $n) { return $a[$n] ?? ''; }
require $argv[1]; $shown = [];
for ($turn = 0, $turns = count($answers); $turn < $turns; $turn++) {
    foreach ($kept as $name => $one) { $kept[$name]['next'] = 0; }
    $shown[] = dateline_popular_html(['window' => 'now', 'section' => 'World', 'count' => '5']);
    dateline_popular_html(['window' => 'now', 'section' => 'World']);
}
echo json_encode(['shown' => $shown, 'asked' => $asked]);
"""
#: As much of a page as the script touches; every element is written out as text with escaped content.
PAGE = r"""
const node = (name) => ({ name, children: [], attributes: {}, text: "",
  set textContent(t) { this.text = t; this.children = []; }, get textContent() { return this.text; },
  appendChild(c) { this.children.push(c); }, setAttribute(k, v) { this.attributes[k] = v; },
  getAttribute(k) { return this.attributes[k] ?? null; }, removeAttribute(k) { delete this.attributes[k]; } });
const place = node("div"), body = require("fs").readFileSync(0, "utf8");
place.textContent = "what stood there"; place.setAttribute("data-dateline-popular", "https://dateline.example/popular.json");
global.document = { createElement: node, createTextNode: (t) => ({ name: "#text", text: t, children: [] }), querySelectorAll: () => [place] };
global.window = global; global.fetch = async () => ({ ok: body !== "", status: 503, json: async () => JSON.parse(body) });
const flat = (n) => [{ name: n.name, text: n.text, href: n.href ?? null, label: (n.attributes || {})["aria-label"] ?? null }, ...n.children.flatMap(flat)];
require(process.argv[2]);
setTimeout(() => console.log(JSON.stringify({ nodes: flat(place), busy: place.getAttribute("aria-busy") })), 5);
"""


def told() -> str:
    board = bodies.board(window="now", section="World", places=PLACES, stories=STORIES)
    return bodies.written(board, version="v", changed_at=AT)["json"]


def in_wordpress(answers: list[dict[str, Any] | None], tmp_path: Path) -> dict[str, Any]:
    if shutil.which("php") is None:
        pytest.skip("needs php")
    stage = tmp_path / "stage.php"
    stage.write_text(WORDPRESS, encoding="utf-8")
    run = ["php", str(stage), str(PLUGIN)]
    done = subprocess.run(run, input=json.dumps(answers), capture_output=True, text=True, timeout=60, check=True)
    return dict(json.loads(done.stdout))


def in_page(body: str, tmp_path: Path) -> dict[str, Any]:
    if shutil.which("node") is None:
        pytest.skip("needs node")
    stage = tmp_path / "stage.js"
    stage.write_text(PAGE, encoding="utf-8")
    run = ["node", str(stage), str(EXTRAS / "embed" / "dateline-popular.js")]
    done = subprocess.run(run, input=body, capture_output=True, text=True, timeout=60, check=True)
    return dict(json.loads(done.stdout))


def test_wordpress_shows_the_list_escaped_and_leaves_out_what_is_no_web_address(tmp_path: Path) -> None:
    answered = in_wordpress([{"status": 200, "body": told(), "etag": '"v"'}], tmp_path)
    [shown] = answered["shown"]
    assert "<script" not in shown and "javascript:" not in shown
    assert "Fish &amp; &lt;script&gt;" in shown and "https://paper.example/fish/?a=1&#038;b=2" in shown
    assert "<small>from 2019</small>" in shown and "Filled up with what was read in the last 24 hours." in shown
    assert 'aria-label="Most read now: World"' in shown
    assert answered["asked"] == [["https://dateline.example/popular.json?window=now&section=World", []]], (
        "once a minute"
    )


def test_wordpress_keeps_the_last_list_while_dateline_is_away(tmp_path: Path) -> None:
    good, broken = {"status": 200, "body": told(), "etag": '"v"'}, {"status": 200, "body": "<html>"}
    answered = in_wordpress([good, None, {"status": 503, "body": ""}, broken, {"status": 304, "body": ""}], tmp_path)
    assert len(set(answered["shown"])) == 1 and "Fish" in answered["shown"][0]
    assert [headers for _, headers in answered["asked"][1:]] == [{"If-None-Match": '"v"'}] * 4


def test_wordpress_shows_nothing_where_there_never_was_a_list(tmp_path: Path) -> None:
    assert in_wordpress([None], tmp_path)["shown"] == [""]


def test_the_script_builds_the_same_list_from_text_alone(tmp_path: Path) -> None:
    page = in_page(told(), tmp_path)
    links = [(node["text"], node["href"]) for node in page["nodes"] if node["name"] == "a"]
    assert links == [(STORIES[n].headline, STORIES[n].url) for n in (1, 3)]
    assert {node["label"] for node in page["nodes"] if node["name"] == "section"} == {"Most read now: World"}
    texts = [node["text"] for node in page["nodes"]]
    assert "from 2019" in texts and "Filled up with what was read in the last 24 hours." in texts
    assert page["busy"] is None and "what stood there" not in texts


def test_the_script_leaves_what_stands_there_when_no_list_comes(tmp_path: Path) -> None:
    page = in_page("", tmp_path)
    assert [node["text"] for node in page["nodes"]] == ["what stood there"]


def test_the_fragment_and_the_feed_carry_the_list_escaped() -> None:
    board = bodies.board(window="now", section="World", places=PLACES, stories=STORIES)
    written = bodies.written(board, version="v", changed_at=AT)
    for form in ("rss", "html"):
        assert "<script" not in written[form] and "javascript:" not in written[form]
        assert "Fish &amp; &lt;script&gt;" in written[form]
        assert "from 2019" in written[form]
