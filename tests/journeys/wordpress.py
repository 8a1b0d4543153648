"""A real publisher on loopback: Debian's WordPress with PHP's own server and a MariaDB of its own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from pipeline.kernel.processes import tether
from pipeline.kernel.processes.supervisor import free_port

INSTALLED = Path("/usr/share/wordpress")
OURS = Path(__file__).parent / "publisher"
CONNECTOR = Path(__file__).parents[2] / "extras" / "wordpress" / "dateline-connector"
PROGRAMS = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
TITLE, AUTHOR = "The Meridian Dispatch", "Mariam Okafor"
#: Not UTC, so that a time without a zone is nine hours wrong.
ZONE = "Asia/Tokyo"
DATABASE = (
    "--no-defaults --skip-networking --skip-log-bin --skip-name-resolve --performance-schema=off"
    " --innodb-buffer-pool-size=48M --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit=0"
)
SERVER = "-d opcache.enable_cli=1 -d memory_limit=256M -d display_errors=stderr -d max_execution_time=60"


def missing() -> str | None:
    """What this machine lacks to be a publisher, as the reason of a skip."""
    php = shutil.which("php")
    if not (INSTALLED / "wp-load.php").exists():
        return "needs WordPress (Debian: wordpress)"
    if php is None:
        return "needs php (Debian: php-cli)"
    modules = subprocess.run([php, "-m"], capture_output=True, text=True, check=True).stdout.split()
    if absent := {"mysqli": "php-mysql", "xml": "php-xml"}.keys() - set(modules):
        return f"needs php with {' and '.join(sorted(absent))} (Debian: php-mysql, php-xml)"
    if not all(shutil.which(name, path=PROGRAMS) for name in ("mariadbd", "mariadb-install-db")):
        return "needs MariaDB (Debian: mariadb-server-core)"
    return None


@dataclass(frozen=True, slots=True)
class Post:
    """A post as its site knows it."""

    id: int
    url: str
    slug: str
    status: str


@dataclass
class WordPress:
    """A running site. Every act is a request of its editor; on WordPress <= 6.8 due cron waits for the next one."""

    url: str
    token: str
    version: str = ""
    web: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, trust_env=False))

    def publish(
        self, title: str, body: str, *, section: Sequence[str] = (), at: datetime | None = None, status: str = "publish"
    ) -> Post:
        """A new post. `section` is the path of its category; an `at` to come schedules it."""
        fields = {"post_title": title, "post_content": body, "post_status": status, **_when(at)}
        return Post(**self._do("publish", **fields, **({"section": list(section)} if section else {})))

    def edit(self, post: Post, **fields: Any) -> Post:
        """Change title, content, status or name, given without their `post_`."""
        return Post(**self._do("edit", ID=post.id, **{f"post_{name}": value for name, value in fields.items()}))

    def come_due(self, post: Post, at: datetime) -> Post:
        """The hour of a scheduled post has come, at `at`; cron publishes it with the next request."""
        return Post(**self._do("come_due", ID=post.id, **_when(at)))

    def unpublish(self, post: Post) -> Post:
        """Back to a draft."""
        return self.edit(post, status="draft")

    def change_slug(self, post: Post, slug: str) -> Post:
        return self.edit(post, name=slug)

    def trash(self, post: Post) -> None:
        self._do("trash", ID=post.id)

    def delete(self, post: Post) -> None:
        """For good: its slug is free again."""
        self._do("delete", ID=post.id)

    def bulk_edit(self, posts: Sequence[Post]) -> int:
        """Close the comments of many by the list's bulk action; how many it changed."""
        return len(self._do("bulk_edit", ids=[post.id for post in posts])["updated"])

    def import_old(self, count: int, *, newest: datetime, first: int = 0) -> list[int]:
        """Posts with old dates, five hours apart and numbered from `first`, put in as an importer does: no ping."""
        posts = [
            {"post_title": f"From the archive, number {number}", "post_content": f"<p>{story(number)}</p>"}
            | {"post_status": "publish", **_when(newest - timedelta(hours=5 * (number - first)))}
            for number in range(first, first + count)
        ]
        ids: list[int] = self._do("import_old", posts=posts)["ids"]
        return ids

    def rewrite_guids(self) -> int:
        """From http to https in the database, as a move does."""
        return int(self._do("rewrite_guids")["changed"])

    def set_ping_url(self, url: str) -> None:
        """Settings > Writing > Update Services."""
        self._do("options", options={"ping_sites": url})

    def set_options(self, **options: str) -> None:
        self._do("options", options=options)

    def connect(self, *, endpoint: str, secret: str) -> None:
        """Switch Dateline's connector on."""
        self.set_options(dateline_connector_endpoint=endpoint, dateline_connector_secret=secret)
        assert self._do("activate", plugin="dateline-connector/dateline-connector.php")["error"] is None

    def visit(self, path: str = "/") -> httpx.Response:
        """Someone opens a page."""
        return self.web.get(self.url + path)

    def run_cron(self) -> None:
        self.visit("/wp-cron.php")

    def install(self) -> None:
        """With what a new site's cron has to do already done."""
        self.version = self._do("install", title=TITLE, zone=ZONE, author=AUTHOR)["version"]
        self.run_cron()
        assert self.visit("/hello-world/").status_code == 200, "posts have no addresses"

    def _do(self, act: str, **order: Any) -> Any:
        answer = self.web.post(f"{self.url}/control.php", json={"do": act, **order}, headers={"X-Token": self.token})
        assert answer.status_code == 200, f"{act}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()


def story(number: int) -> str:
    """A paragraph that is like no other."""
    words = (
        "accord",
        "border",
        "cabinet",
        "delegation",
        "embassy",
        "fisheries",
        "grain",
        "harbour",
        "inquiry",
        "jurist",
    )
    picked = [words[(number // 10**place + place) % 10] for place in range(4)]
    return f"Envoy {number} spoke of the {' and the '.join(picked)} in room {number * 7} on the {number + 2}th day."


def _when(at: datetime | None) -> dict[str, str]:
    return {"date_gmt": f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"} if at else {}


@contextmanager
def publisher() -> Iterator[WordPress]:
    """An installed site; its processes are ended and its files removed at the end."""
    with ExitStack() as exits:
        home = Path(tempfile.mkdtemp(prefix="wp-", dir="/tmp"))  # short: a socket lives in it
        exits.callback(shutil.rmtree, home, ignore_errors=True)
        home.chmod(0o755)
        port = free_port(0)
        site = WordPress(url=f"http://127.0.0.1:{port}", token=secrets.token_hex(16))
        exits.callback(site.web.close)
        environ = {
            "PATH": PROGRAMS,
            "PUBLISHER_SOCKET": str(home / "db" / "s"),
            "PUBLISHER_URL": site.url,
            "PUBLISHER_TOKEN": site.token,
            "PHP_CLI_SERVER_WORKERS": "4",  # its cron asks the server that runs it
        }
        _lay_out(home / "site")
        _make_database(home, environ)
        database = [
            "mariadbd",
            *DATABASE.split(),
            f"--datadir={home}/db",
            f"--socket={home}/db/s",
            f"--pid-file={home}/db/pid",
        ]
        _start(exits, home, environ, database, signal.SIGTERM)
        _until((home / "db" / "s").exists, home / "mariadbd.log")
        php = [
            "php",
            *SERVER.split(),
            "-S",
            f"127.0.0.1:{port}",
            "-t",
            str(home / "site"),
            str(home / "site" / "router.php"),
        ]
        _start(exits, home, environ, php, signal.SIGINT)  # it waits for its workers, on this signal only
        _until(lambda: _answers(site), home / "php.log")
        site.install()
        yield site


def _lay_out(site: Path) -> None:
    """Debian's files in a directory of ours: WordPress finds its own by where wp-load.php lies."""
    (site / "wp-content" / "mu-plugins").mkdir(parents=True)
    for file in INSTALLED.glob("*.php"):
        shutil.copyfile(file, site / file.name)
    for name in ("wp-includes", "wp-admin"):
        (site / name).symlink_to(INSTALLED / name)
    for name in ("wp-config.php", "router.php", "control.php"):
        shutil.copyfile(OURS / name, site / name)
    shutil.copyfile(OURS / "loopback.php", site / "wp-content" / "mu-plugins" / "loopback.php")
    shutil.copytree(OURS / "theme", site / "wp-content" / "themes" / "publisher")
    if CONNECTOR.exists():
        shutil.copytree(CONNECTOR, site / "wp-content" / "plugins" / "dateline-connector")

    for path in (site, *site.rglob("*")):
        _give(path)


def _make_database(home: Path, environ: dict[str, str]) -> None:
    uid, gid = _nobody()
    (home / "db").mkdir()
    _give(home / "db")
    made = [
        *("mariadb-install-db", *DATABASE.split(), f"--datadir={home}/db", "--skip-test-db"),
        "--auth-root-authentication-method=normal",
    ]
    done = subprocess.run(
        tether.command(made, uid=uid, gid=gid), env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _nobody() -> tuple[int, int]:
    """As root, MariaDB refuses to run and PHP should not: who runs them then. (-1, -1): the caller."""
    if os.getuid() != 0:
        return -1, -1
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _give(path: Path) -> None:
    uid, gid = _nobody()
    if uid >= 0:
        os.chown(path, uid, gid, follow_symlinks=False)


def _start(
    exits: ExitStack, home: Path, environ: dict[str, str], program: list[str], stop_with: signal.Signals
) -> None:
    """In a group of its own, which is ended with all its children; it dies with us too."""
    uid, gid = _nobody()
    with (home / f"{program[0]}.log").open("w") as log:
        child = subprocess.Popen(
            tether.command(program, uid=uid, gid=gid), env=environ, stdout=log, stderr=log, start_new_session=True
        )
    exits.callback(_end, child, stop_with)


def _end(child: subprocess.Popen[bytes], stop_with: signal.Signals) -> None:
    for sign in (stop_with, signal.SIGKILL):
        try:
            os.killpg(child.pid, sign)
            child.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _answers(site: WordPress) -> bool:
    try:
        return site.web.post(f"{site.url}/control.php").status_code == 404
    except httpx.TransportError:
        return False


def _until(holds: Any, log: Path, within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.05)
