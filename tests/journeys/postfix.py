"""A real Postfix (Debian's) on loopback, in a directory of its own. It has no way to speak to another server: there is
no smtp client in its master.cf, and what is for nobody it knows is returned.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.kernel.processes import tether
from pipeline.kernel.processes.supervisor import free_port

PROGRAMS = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
DAEMONS = Path("/usr/lib/postfix/sbin")
READERS, RETURNED = "quay.example", "bounce.dispatch.example"
_MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
daemon_directory = {daemons}
mail_owner = postfix
maillog_file = {root}/log/mail
maillog_file_prefixes = {root}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.{readers}
mydestination =
default_transport = error:5.4.4 nothing leaves this machine
relay_transport = error:5.4.4 nothing leaves this machine
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
virtual_mailbox_domains = {readers} {returned}
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = regexp:{root}/etc/boxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""
#: Who is unknown is found out after the mail was taken at the first door, and before it at the second.
_MASTER = """
127.0.0.1:{lenient} inet n - n - - smtpd -o smtpd_reject_unlisted_recipient=no
127.0.0.1:{strict} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_BOXES = f"""
/^reader[0-9]+@{READERS}$/ readers/
/^b\\+.*@{RETURNED}$/ bounces/
"""


def missing() -> str | None:
    """What this machine lacks to run it, as the reason of a skip."""
    if shutil.which("postfix", path=PROGRAMS) is None or not DAEMONS.is_dir():
        return "needs Postfix (Debian: postfix)"
    return None if os.geteuid() == 0 else "needs to be root: Postfix starts as nobody else"


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running one. `lenient` takes mail for anybody and returns what it cannot deliver; `strict` says no at once."""

    root: Path
    lenient: int
    strict: int

    def box(self, name: str) -> list[bytes]:
        """The mails in a mailbox, oldest first, their lines ended as on the wire."""
        files = sorted((self.root / "mail" / name / "new").glob("*"), key=lambda file: file.stat().st_mtime_ns)
        return [file.read_bytes().replace(b"\n", b"\r\n") for file in files]

    def wait_for(self, name: str, count: int, *, within_s: float = 30) -> list[bytes]:
        deadline = time.monotonic() + within_s
        while len(mails := self.box(name)) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(mails)} of {count} mails in {name}\n{self.said}")
            time.sleep(0.05)
        return mails

    @property
    def said(self) -> str:
        return (self.root / "log" / "mail").read_text()


@contextmanager
def running() -> Iterator[Postfix]:
    """Start it, and stop and remove it at the end."""
    root = Path(tempfile.mkdtemp(prefix="dl-mx-", dir="/tmp"))
    root.chmod(0o755)
    server = Postfix(root, free_port(0), free_port(0))
    _prepare(server)
    command = [shutil.which("postfix", path=PROGRAMS) or "", "-c", str(root / "etc")]
    master = subprocess.Popen(
        tether.command([*command, "start-fg"]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )
    try:
        _wait_until_it_listens(server, master)
        yield server
    finally:
        subprocess.run([*command, "stop"], capture_output=True, check=False, timeout=20)
        master.terminate()
        master.wait(20)
        shutil.rmtree(root, ignore_errors=True)


def _prepare(server: Postfix) -> None:
    owner, root = pwd.getpwnam("postfix"), server.root
    for name in ("etc", "queue", "data", "mail", "log"):
        (root / name).mkdir()
    for name in ("data", "mail"):
        os.chown(root / name, owner.pw_uid, owner.pw_gid)
    facts = {"uid": owner.pw_uid, "gid": grp.getgrnam("postfix").gr_gid, "root": root, "daemons": DAEMONS}
    (root / "etc" / "main.cf").write_text(_MAIN.format(readers=READERS, returned=RETURNED, **facts))
    (root / "etc" / "master.cf").write_text(_MASTER.format(lenient=server.lenient, strict=server.strict))
    (root / "etc" / "boxes").write_text(_BOXES)


def _wait_until_it_listens(server: Postfix, master: subprocess.Popen[bytes]) -> None:
    log, deadline = server.root / "log" / "mail", time.monotonic() + 20
    while not (log.exists() and "daemon started" in log.read_text()):
        if master.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"Postfix did not start: {log.read_text() if log.exists() else ''}")
        time.sleep(0.05)
