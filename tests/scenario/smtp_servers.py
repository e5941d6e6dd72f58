"""smtp_servers.py - mail servers that behave and that misbehave, for smtp.py and smtp_daemon.py. On 127.0.0.1 only."""

import os
import socket
import ssl
import subprocess
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

USER, PASSWORD = "avvik", "hemligt åäö ord"


def certificate(folder, name):
    key, cert = os.path.join(folder, f"{name}.key"), os.path.join(folder, f"{name}.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


class Kept:
    """Keeps what arrives; `refuse` says at which step it answers otherwise, and how."""

    def __init__(self, refuse=None):
        self.refuse = refuse or {}
        self.mails = []

    async def handle_MAIL(self, server, session, envelope, address, options):
        if "MAIL" in self.refuse:
            return self.refuse["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if "RCPT" in self.refuse:
            return self.refuse["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return self.refuse.get("DATA", "250 OK")


class Server(Controller):
    def __init__(self, handler, context=None, implicit=False, auth=False):
        def authenticate(server, session, envelope, mechanism, data):
            good = data.login == USER.encode() and data.password == PASSWORD.encode()
            return AuthResult(success=good, handled=False)

        options = {}
        if context and not implicit:
            options.update(tls_context=context, require_starttls=True)
        if auth:
            options.update(auth_required=True, authenticator=authenticate)
        self.made = lambda: SMTP(handler, hostname="127.0.0.1", **options)
        self.port_free = free_port()
        super().__init__(handler, hostname="127.0.0.1", port=self.port_free,
                         ssl_context=context if implicit else None)

    def factory(self):
        return self.made()

    def _trigger_server(self):
        """A mere connection is enough, also for TLS."""
        socket.create_connection((self.hostname, self.port), 5).close()

    def url(self, scheme="smtp"):
        return f"{scheme}://127.0.0.1:{self.port_free}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Rude(threading.Thread):
    """A server without TLS that hangs up, or falls silent, at a step: greeting, EHLO, MAIL, RCPT, DATA, BODY."""

    ANSWERS = {"EHLO": b"250 rude\r\n", "MAIL": b"250 OK\r\n", "RCPT": b"250 OK\r\n", "DATA": b"354 go on\r\n",
               "BODY": b"250 OK\r\n"}

    def __init__(self, step, silent=False):
        super().__init__(daemon=True)
        self.step, self.silent = step, silent
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.kept = []
        self.start()

    def url(self):
        return f"smtp://127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def end(self, connection):
        if self.silent:
            self.kept.append(connection)
        else:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def talk(self, connection):
        if self.step == "greeting":
            return self.end(connection)
        connection.sendall(b"220 rude ESMTP\r\n")
        lines = connection.makefile("rb")
        in_body = False
        for line in lines:
            if in_body and line != b".\r\n":
                continue
            step = "BODY" if in_body else line[:4].decode().upper()
            in_body = step == "DATA" and self.step != "DATA"
            if step == self.step:
                return self.end(connection)
            connection.sendall(self.ANSWERS.get(step, b"250 OK\r\n"))
