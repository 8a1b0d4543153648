"""A mailbox on loopback that speaks IMAP4rev1 and POP3 as far as a reader of it needs, and misbehaves as told."""

from __future__ import annotations

import contextlib
import re
import socketserver
import ssl
import threading

USER, PASSWORD, ENCODED = "bounces@dispatch.example", 'p"a\\ss:w/ord', "p%22a%5Css%3Aw%2Ford"


class MailboxServer(socketserver.ThreadingTCPServer):
    """`mails` by uid; `validity` is its UIDVALIDITY. Hangs up in the middle of mail `dies_at`, once."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, protocol: str = "imap", *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Imap if protocol == "imap" else _Pop3)
        self.protocol, self.tls, self.port = protocol, tls, self.server_address[1]
        self.mails: dict[int, bytes] = {}
        self.validity = 7
        self.dies_at: int | None = None
        self.heard: list[str] = []
        self.fetched: list[int] = []

    def url(self, *, scheme: str = "", password: str = "") -> str:
        return (
            f"{scheme or self.protocol}://bounces%40dispatch.example:{password or ENCODED}@127.0.0.1:{self.port}/INBOX"
        )

    def put(self, *raws: bytes) -> None:
        for raw in raws:
            self.mails[max(self.mails, default=0) + 1] = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def __enter__(self) -> MailboxServer:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Connections are cut on purpose here."""


class _Visit(socketserver.StreamRequestHandler):
    server: MailboxServer
    timeout = 10

    def setup(self) -> None:
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.request.close()

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def dies(self, uid: int) -> bool:
        if self.server.dies_at == uid:
            self.server.dies_at = None
            return True
        self.server.fetched.append(uid)
        return False


class _Imap(_Visit):
    def handle(self) -> None:
        self.say("* OK [CAPABILITY IMAP4rev1] ready")
        while line := self.rfile.readline().decode().strip():
            self.server.heard.append(line)
            tag, _, asked = line.partition(" ")
            if not self.answered(tag, asked):
                return

    def answered(self, tag: str, asked: str) -> bool:
        verb = asked.split(maxsplit=1)[0].upper()
        if verb == "CAPABILITY":
            self.say("* CAPABILITY IMAP4rev1")
        elif verb == "LOGIN":
            quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
            if asked != f'LOGIN {USER} "{quoted}"':
                self.say(f"{tag} NO [AUTHENTICATIONFAILED] no")
                return True
        elif verb == "EXAMINE":
            self.say(f"* {len(self.server.mails)} EXISTS")
            self.say(f"* OK [UIDVALIDITY {self.server.validity}] valid")
        elif asked.upper().startswith("UID SEARCH"):
            low = int(re.findall(r"UID (\d+):\*", asked)[0])
            uids = [uid for uid in self.server.mails if uid >= low] or sorted(self.server.mails)[-1:]
            self.say(f"* SEARCH {' '.join(map(str, uids))}".rstrip())
        elif asked.upper().startswith("UID FETCH"):
            uid = int(asked.split()[2])
            most = int(re.findall(r"<0\.(\d+)>", asked)[0])
            raw = self.server.mails[uid][:most]
            self.say(f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}")
            if self.dies(uid):
                self.wfile.write(raw[: len(raw) // 2])
                return False
            self.wfile.write(raw + b")\r\n")
        elif verb == "LOGOUT":
            self.say("* BYE")
            self.say(f"{tag} OK")
            return False
        else:
            self.say(f"{tag} BAD {verb} would change the mailbox")
            return True
        self.say(f"{tag} OK done")
        return True


class _Pop3(_Visit):
    def handle(self) -> None:
        self.say("+OK ready")
        while line := self.rfile.readline().decode().strip():
            self.server.heard.append(line)
            verb, *words = line.split(" ")
            if not self.answered(verb.upper(), words):
                return

    def answered(self, verb: str, words: list[str]) -> bool:
        mails = sorted(self.server.mails.items())
        if verb == "USER":
            self.say("+OK")
        elif verb == "PASS":
            self.say("+OK" if " ".join(words) == PASSWORD else "-ERR no")
        elif verb == "UIDL":
            self.lines("+OK", [f"{n} v{self.server.validity}-{uid}" for n, (uid, _) in enumerate(mails, 1)])
        elif verb == "LIST":
            self.say(f"+OK {words[0]} {len(mails[int(words[0]) - 1][1])}")
        elif verb in ("RETR", "TOP"):
            uid, raw = mails[int(words[0]) - 1]
            if self.dies(uid):
                self.wfile.write(b"+OK\r\n" + raw[: len(raw) // 2])
                return False
            kept = raw.split(b"\r\n")[: 2000 if verb == "TOP" else None]
            self.lines("+OK", [(b"." + line if line.startswith(b".") else line).decode("latin-1") for line in kept])
        elif verb == "QUIT":
            self.say("+OK")
            return False
        else:
            self.say(f"-ERR {verb} would change the mailbox")
        return True

    def lines(self, first: str, rest: list[str]) -> None:
        self.wfile.write("\r\n".join([first, *rest, "."]).encode("latin-1") + b"\r\n")
