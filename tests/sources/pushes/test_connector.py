"""The WordPress connector: its signature is ours, and what it sends of a post is what we take in."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.sources.pushes import envelopes, signatures
from pipeline.sources.pushes.envelopes import Event
from pipeline.sources.pushes.signatures import Check

PLUGIN = Path(__file__).parents[3] / "extras" / "wordpress" / "dateline-connector" / "dateline-connector.php"
PHP = shutil.which("php")
SECRET = "s3cret-of-the-gazette"

#: WordPress's functions, as far as the plugin needs them, and what it did with them.
STUBS = r"""
define('ABSPATH', '/');
$sent = []; $posts = [];
function add_action(...$a) {}
function register_uninstall_hook(...$a) {}
function get_option($name, $else = '') {
    return ['dateline_connector_endpoint' => 'https://n.example/hooks/t', 'dateline_connector_secret' => SECRET][$name];
}
function wp_is_post_revision($id) { return false; }
function wp_is_post_autosave($id) { return false; }
function wp_json_encode($data) { return json_encode($data); }
function get_permalink($post) { return 'https://gazette.example/' . $post->post_name . '/'; }
function get_post($id) { global $posts; return $posts[$id] ?? null; }
function wp_remote_post($url, $args) { global $sent; $sent[] = ['url' => $url] + $args; }
function post($id, $fields = []) {
    global $posts;
    return $posts[$id] = (object) ($fields + [
        'ID' => $id, 'post_type' => 'post', 'post_status' => 'publish', 'post_password' => '', 'post_name' => 'port',
        'post_title' => 'Port & starboard — “naïve” / 日本', 'guid' => "https://gazette.example/?p=$id",
        'post_date_gmt' => '2026-04-19 04:10:00', 'post_modified_gmt' => '0000-00-00 00:00:00',
    ]);
}
"""

pytestmark = pytest.mark.skipif(PHP is None, reason="needs php (Debian: php-cli)")


def php(script: str) -> list[dict[str, Any]]:
    """What the plugin sent while a script ran and the request ended."""
    source = f"const SECRET = '{SECRET}';{STUBS}require '{PLUGIN}';{script}\ndateline_connector_send(); echo json_encode($sent);"
    done = subprocess.run([str(PHP), "-n", "-r", source], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def events(script: str) -> list[tuple[str, int]]:
    told = [json.loads(one["body"]) for one in php(script)]
    return [(one["event"], one["wp_id"]) for one in told]


def test_the_file_is_php() -> None:
    done = subprocess.run([str(PHP), "-l", str(PLUGIN)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("body", ["", "{}", '{"title":"\\u00e9"}', 'naïve 日本 \\ " $x'])
def test_the_plugin_signs_as_we_do(body: str) -> None:
    at = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
    quoted = body.replace("\\", "\\\\").replace("'", "\\'")
    script = f"$sent = dateline_connector_sign(SECRET, '{quoted}', {int(at.timestamp())});"
    assert php(script) == signatures.dateline_header(secret=SECRET, body=body.encode(), at=at)


def test_what_it_sends_is_signed_taken_in_and_waited_for_a_second_at_most() -> None:
    [request] = php("dateline_connector_noticed('publish', 'draft', post(42));")
    body = request["body"].encode()
    header = request["headers"]["Dateline-Signature"]
    assert signatures.check_dateline(header, secret=SECRET, body=body, now=datetime.now(UTC)).check is Check.GOOD
    news = envelopes.dateline_news(body)
    assert (news.event, news.entry.wp_id, news.entry.id) == (Event.PUBLISHED, 42, "https://gazette.example/?p=42")
    assert (news.entry.link, news.entry.title) == ("https://gazette.example/port/", "Port & starboard — “naïve” / 日本")
    assert (news.entry.published, news.entry.updated) == (datetime(2026, 4, 19, 4, 10, tzinfo=UTC), None)
    assert request["url"] == "https://n.example/hooks/t"
    assert request["blocking"] is True and request["timeout"] <= 1 and request["redirection"] == 0


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("dateline_connector_noticed('publish', 'draft', post(1));", [("published", 1)]),
        ("dateline_connector_noticed('publish', 'future', post(1));", [("published", 1)]),
        ("dateline_connector_noticed('publish', 'publish', post(1));", [("updated", 1)]),
        ("dateline_connector_noticed('trash', 'publish', post(1));", [("unpublished", 1)]),
        ("dateline_connector_noticed('private', 'publish', post(1));", [("unpublished", 1)]),
        ("post(1); dateline_connector_deleted(1); $posts = [];", [("unpublished", 1)]),
        ("dateline_connector_noticed('draft', 'auto-draft', post(1));", []),
        ("post(1, ['post_status' => 'draft']); dateline_connector_deleted(1);", []),
        ("dateline_connector_noticed('publish', 'draft', post(1, ['post_type' => 'page']));", []),
        ("dateline_connector_noticed('publish', 'draft', post(1, ['post_password' => 'x']));", []),
        ("define('WP_IMPORTING', true); dateline_connector_noticed('publish', 'draft', post(1));", []),
        ("define('DOING_AUTOSAVE', true); dateline_connector_noticed('publish', 'publish', post(1));", []),
    ],
)  # fmt: skip
def test_only_what_is_news_of_a_post_is_sent(script: str, expected: list[tuple[str, int]]) -> None:
    assert events(script) == expected


def test_one_request_sends_each_post_once() -> None:
    script = "$p = post(1); dateline_connector_noticed('publish', 'draft', $p); dateline_connector_noticed('publish', 'publish', $p);"
    assert events(script + "dateline_connector_noticed('publish', 'publish', post(2));") == [
        ("published", 1),
        ("updated", 2),
    ]
    assert events(script + "dateline_connector_noticed('draft', 'publish', $p);") == [("unpublished", 1)]


def test_a_title_changed_later_in_the_request_is_the_one_told() -> None:
    script = "dateline_connector_noticed('publish', 'draft', post(1)); post(1, ['post_title' => 'Later']);"
    [request] = php(script)
    assert json.loads(request["body"])["title"] == "Later"


def test_a_dateline_that_does_not_answer_costs_an_editor_three_seconds_at_most() -> None:
    slow = "for ($n = 1; $n < 9; $n++) dateline_connector_noticed('publish', 'publish', post($n));"
    stubs = STUBS.replace("$sent[] = ['url'", "usleep(1100000); $sent[] = ['url'")
    source = (
        f"const SECRET = '{SECRET}';{stubs}require '{PLUGIN}';{slow}\ndateline_connector_send(); echo count($sent);"
    )
    done = subprocess.run([str(PHP), "-n", "-r", source], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "3"
