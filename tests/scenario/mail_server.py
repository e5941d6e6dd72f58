"""Mail through a real server, with STARTTLS and a password, while it is refusing, slow, hanging up, down: nothing is lost, nobody gives in
early, and after a day the administrator is told.

(How the transport judges each answer is proved by smtp.py; this is the daemon, with time that passes.)
"""

import asyncio
import datetime
import email
import email.policy
import logging
import os
import socket
import ssl
import subprocess
import sys
import time
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import Instance, check, check_true, pb, report  # noqa: E402

USER, PASSWORD = "avvik", "hemligt åäö ord"
SECRET = "Zonrosprovtext"


class Mails:
    """What the server keeps, and how it behaves."""

    def __init__(self):
        self.behaviour = "good"
        self.kept = []   # (Message-ID, to, encrypted, text) of what was answered 250
        self.seen = []   # Message-IDs of what came whole, whatever was answered
        self.connections = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.behaviour == "no such user":
            return "550 5.1.1 no such user"
        if self.behaviour == "greylisting":
            return "450 4.2.1 come back"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.seen.append(mail["Message-ID"])
        if self.behaviour == "hanging up":
            server.transport.abort()
            return "421 gone"
        if self.behaviour == "slow":
            await asyncio.sleep(5)
            return "451 too late"
        if self.behaviour == "no room":
            return "452 4.3.1 no room"
        text = "\n".join(f"{k}: {v}" for k, v in mail.items()) + mail.get_content()
        self.kept.append((mail["Message-ID"], envelope.rcpt_tos[0], session.ssl is not None, text))
        return "250 OK"


class Server(Controller):
    def __init__(self, mails, port, context):
        self.context = context
        super().__init__(mails, hostname="127.0.0.1", port=port)

    def factory(self):
        self.handler.connections += 1

        def judge(server, session, envelope, mechanism, data):
            return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()))
        return SMTP(self.handler, tls_context=self.context, require_starttls=True, auth_required=True, auth_require_tls=True,
                    authenticator=judge, enable_SMTPUTF8=True)


def certificates(folder):
    """A certificate authority of our own, and a server that it vouches for."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Prov CA",
            "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=mail", "-keyout", "mail.key",
            "-out", "mail.csr")
    with open(os.path.join(folder, "names"), "w") as file:
        file.write("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "mail.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names",
            "-out", "mail.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "mail.pem"), os.path.join(folder, "mail.key"))
    return os.path.join(folder, "ca.pem"), context


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def set_mail(instance, port, ca):
    password = os.path.join(instance.root, "password")
    with open(password, "w", encoding="utf-8") as file:
        file.write(PASSWORD + "\n")
    os.chmod(password, 0o600)
    with open(instance.settings) as file:
        text = file.read()
    assert "  transport: maildir\n" in text
    text = text.replace("  transport: maildir\n",
                        f"  transport: smtp\n  server: smtp://127.0.0.1:{port}\n  ca_file: {ca}\n  user: {USER}\n"
                        f"  password_file: {password}\n  timeout_seconds: 2\n")
    with open(instance.settings, "w") as file:
        file.write(text)


class Play:
    def __init__(self, instance, mails):
        self.instance, self.mails, self.client = instance, mails, instance.client("intake")

    def file(self, reference, settle=True):
        """One report: its notices."""
        command = report(reference, unit="lindhaga", kind=pb.REPORT_TYPE_DEVIATION, when_ms=1775026800000)
        command.file_report.narrative.description = f"{SECRET}: larmet besvarades inte."
        reply = self.client.call(command)
        assert reply.status == pb.REPLY_STATUS_DONE, reply
        if settle:
            self.instance.settle()
        return self.notices(reply.report_accepted.report_id)

    def notices(self, case_id):
        hexed = case_id.hex()
        self.case = f"{hexed[:8]}-{hexed[8:12]}-{hexed[12:16]}-{hexed[16:20]}-{hexed[20:]}"
        return self.instance.json("notices", self.case)

    def again(self):
        return self.instance.json("notices", self.case)

    def codes(self):
        return {code for daemon, code in self.instance.issues() if daemon == "notification"}

    def advance(self, **period):
        now = datetime.datetime.fromisoformat(self.instance.json("clock", "show")["now"])
        self.instance.avvik("clock", "advance", "--to", f"{now + datetime.timedelta(**period):%Y-%m-%d %H:%M}")


def good(play):
    notices = play.file("good")
    check("a deviation tells its manager and its reporter", len(notices), 2)
    check("both mails are delivered", {(n["state"], n["attempts"]) for n in notices}, {("delivered", 1)})
    kept = {message: (to, encrypted) for message, to, encrypted, _ in play.mails.kept}
    connections = play.mails.connections
    play.file("good again")
    check("the next mails go over the same connections", (len(play.mails.kept), play.mails.connections), (4, connections))
    check("encrypted, to their addresses, under their own Message-IDs",
          {n["message_id"]: kept.get(f"<{n['message_id']}>") for n in notices},
          {n["message_id"]: ("prov@lindaker.example" if n["role"] == "reporter" else "linda.hagstrom@lindaker.example", True)
           for n in notices})


def troubled(play, behaviour, error, server_at_fault, came_whole):
    """The server misbehaves for a while; then it is good again."""
    play.mails.behaviour = behaviour
    seen, kept = len(play.mails.seen), len(play.mails.kept)
    play.file(behaviour, settle=False)
    began = time.monotonic()
    play.codes()
    check_true(f"{behaviour}: the daemon answers meanwhile", time.monotonic() - began < 1, time.monotonic() - began)
    play.instance.settle()
    notices = play.again()
    check(f"{behaviour}: the mails wait to be tried again", [(n["state"], n["attempts"], n["last_error"]) for n in notices],
          [("retrying", 1, error)] * 2)
    play.advance(minutes=4)
    check(f"{behaviour}: they are, with pauses", {n["attempts"] for n in play.again()}, {3})
    check(f"{behaviour}: health tells of it when it concerns all mail", "mail_down" in play.codes(), server_at_fault)
    play.mails.behaviour = "good"
    play.advance(minutes=10)
    after = play.again()
    check(f"{behaviour}: when it recovers they are delivered", {(n["state"], n["attempts"]) for n in after}, {("delivered", 4)})
    ids = sorted(f"<{n['message_id']}>" for n in after)
    check(f"{behaviour}: each once", sorted(message for message, *_ in play.mails.kept[kept:]), ids)
    if came_whole:
        check(f"{behaviour}: under the same Message-ID every time", sorted(play.mails.seen[seen:]), sorted(ids * 4))
    check(f"{behaviour}: health has nothing more to say", play.codes(), set())


def down(play, server):
    """It is not there at all, for more than a day."""
    server.stop()
    notices = play.file("down")
    check("down: the mails wait", {n["state"] for n in notices}, {"retrying"})
    play.advance(hours=20)
    check("down: health tells of it", "mail_down" in play.codes(), True)
    check("down: after twenty hours they still wait", {(n["state"], n["last_error"]) for n in play.again()},
          {("retrying", "server_unreachable")})
    play.advance(hours=6)
    after = play.again()
    check("down: after about a day they are given up", {n["state"] for n in after}, {"given_up"})
    check("down: which is an alarm", "notices_given_up" in play.codes(), True)
    events, _ = play.instance.feed("notification")
    given_up = [e.notice_given_up for e in events if e.WhichOneof("body") == "notice_given_up"]
    check("down: and an event for each, with its attempts", {(e.attempts, e.error) for e in given_up}, {(12, "server_unreachable")})
    server = Server(play.mails, server.port, server.context)
    server.start()
    kept = len(play.mails.kept)
    for notice in after:
        play.instance.avvik("notices", "retry", notice["notice_id"], "--reason", "servern är tillbaka")
    play.instance.settle()
    check("down: an administrator asks for them again, and they arrive", {n["state"] for n in play.again()}, {"delivered"})
    check("down: once", len(play.mails.kept) - kept, 2)
    return server


def refused(play):
    """An address that does not exist: trying again would not help."""
    play.mails.behaviour = "no such user"
    notices = play.file("refused")
    check("an address that the server refuses for good is given up at once", {(n["state"], n["attempts"]) for n in notices},
          {("given_up", 1)})
    check_true("which is an alarm", "notices_given_up" in play.codes(), play.codes())
    play.mails.behaviour = "good"


def restarted(play, instance):
    """The daemon is stopped while mails wait: the next one goes on."""
    play.mails.behaviour = "greylisting"
    notices = play.file("restarted")
    check("before a restart two mails wait", [n["state"] for n in notices], ["retrying"] * 2)
    play.client.close()
    instance.down()
    play.mails.behaviour = "good"
    instance.up()
    play.client = instance.client("intake")
    play.advance(minutes=5)
    check("after it they are delivered", {n["state"] for n in play.again()}, {"delivered"})


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    with Instance(stepped="2026-04-01 09:00") as instance:
        ca, context = certificates(instance.root)
        mails, port = Mails(), free_port()
        set_mail(instance, port, ca)
        server = Server(mails, port, context)
        server.start()
        try:
            instance.up()
            instance.publish()
            play = Play(instance, mails)
            good(play)
            troubled(play, "greylisting", "refused_for_now", False, False)
            troubled(play, "no room", "refused_for_now", False, True)
            troubled(play, "hanging up", "connection_lost", True, True)
            troubled(play, "slow", "timed_out", True, True)
            server = down(play, server)
            refused(play)
            restarted(play, instance)
            check("no mail holds what happened", [text for *_, text in mails.kept if SECRET in text], [])
            play.client.close()
            log = open(instance.up_log.name).read()
            check("and no log holds it, nor the password", [word for word in (SECRET, PASSWORD, "lindaker.example") if word in log], [])
        finally:
            server.stop(no_assert=True)


main()
