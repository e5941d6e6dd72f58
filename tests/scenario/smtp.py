#!/usr/bin/python3
"""smtp.py - mail servers that behave and that misbehave, and what notification's transport makes of them.

Usage: smtp.py PATH/TO/smtp_send. Everything listens on 127.0.0.1, on ports that the system chooses.
"""

import email
import email.policy
import logging
import os
import subprocess
import sys
import tempfile
import warnings

from smtp_servers import PASSWORD, USER, Kept, Rude, Server, certificate, free_port

PROGRAM = sys.argv[1]
BODY = "Hej Åsa,\n\n.en punkt först\n..två punkter\n.\nslut\n"
failures = []


def check(name, got, want):
    if got == want:
        print(f"ok    {name}")
    else:
        failures.append(name)
        print(f"FAIL  {name}: got {got!r}, want {want!r}")


def send(server, tls="required", ca="", user="", password_file="", timeout=10, count=1, to="asa@lindaker.se"):
    done = subprocess.run([PROGRAM, server, tls, ca, user, password_file, str(timeout), str(count), to],
                          capture_output=True, text=True, timeout=100)
    if done.returncode != 0:
        return [f"exit {done.returncode} {done.stderr[-2000:]}"]
    return sorted(line.split(" ", 1)[1] for line in done.stdout.splitlines())


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)  # what the servers think of it
    folder = tempfile.mkdtemp(prefix="avvik-smtp-")
    cert, context = certificate(folder, "server")
    other_cert, _ = certificate(folder, "other")
    password_file = os.path.join(folder, "password")
    with open(password_file, "w", encoding="utf-8") as file:
        file.write(PASSWORD + "\n")
    wrong_file = os.path.join(folder, "wrong")
    with open(wrong_file, "w", encoding="utf-8") as file:
        file.write("wrong\n")

    # a good server: STARTTLS, a password, dots, å ä ö
    handler = Kept()
    server = Server(handler, context, auth=True)
    server.start()
    check("a mail arrives over STARTTLS with a password",
          send(server.url(), ca=cert, user=USER, password_file=password_file), ["delivered 0"])
    sender, to, content, encrypted = handler.mails[0]
    mail = email.message_from_bytes(content, policy=email.policy.default)
    check("it was encrypted", encrypted, True)
    check("its envelope", (sender, to), ("avvik@lindaker.se", ["asa@lindaker.se"]))
    check("its subject", mail["Subject"], "Snart sista dag, ärende 2026-0042")
    check("its sender's name", mail["From"].addresses[0].display_name, "Socialnämnden i Lindåker")
    check("its receiver's name", mail["To"].addresses[0].display_name, "Åsa Öberg")
    check("its text, dots included", mail.get_content().replace("\r\n", "\n"), BODY)
    check("its marks", (mail["Auto-Submitted"], mail["Message-ID"]),
          ("auto-generated", "<00000000-0000-0000-0000-000000000000@lindaker.se>"))
    check("no defects", mail.defects, [])
    check("a wrong password is told as such",
          send(server.url(), ca=cert, user=USER, password_file=wrong_file), ["auth_failed 0"])
    check("a password file that is gone too",
          send(server.url(), ca=cert, user=USER, password_file=folder + "/none"), ["auth_failed 0"])
    check("a server that nobody vouches for gets nothing",
          send(server.url(), ca=other_cert, user=USER, password_file=password_file), ["tls_failed 0"])
    check("a server that the system does not know gets nothing",
          send(server.url(), user=USER, password_file=password_file), ["tls_failed 0"])
    before = len(handler.mails)
    check("many mails all arrive",
          send(server.url(), ca=cert, user=USER, password_file=password_file, count=60), ["delivered 0"] * 60)
    ids = {email.message_from_bytes(m[2])["Message-ID"] for m in handler.mails[before:]}
    check("each once", (len(handler.mails) - before, len(ids)), (60, 60))
    server.stop()

    # TLS from the start
    handler = Kept()
    server = Server(handler, context, implicit=True)
    server.start()
    check("a mail arrives over smtps", send(server.url("smtps"), ca=cert), ["delivered 0"])
    server.stop()

    # no encryption offered
    handler = Kept()
    server = Server(handler)
    server.start()
    check("without encryption nothing is sent", (send(server.url()), handler.mails), (["tls_failed 0"], []))
    check("but to this machine itself, when told so", send(server.url(), tls="none"), ["delivered 0"])
    server.stop()

    # refusals
    for step, answer, want in [("RCPT", "550 5.1.1 no such user", "refused 0"),
                               ("RCPT", "450 4.2.1 greylisted", "refused_for_now 0"),
                               ("RCPT", "552 5.2.2 mailbox full", "refused_for_now 0"),
                               ("MAIL", "550 5.7.1 not from you", "server_refused 0"),
                               ("MAIL", "451 4.3.0 later", "refused_for_now 0"),
                               ("DATA", "554 5.6.0 not wanted", "refused 0"),
                               ("DATA", "452 4.3.1 no room", "refused_for_now 0")]:
        server = Server(Kept({step: answer}))
        server.start()
        check(f"{step} answered {answer}", send(server.url(), tls="none"), [want])
        server.stop()

    # servers that hang up, fall silent, or are not there
    for step, want in [("greeting", "connection_lost 0"), ("EHLO", "connection_lost 0"),
                       ("MAIL", "connection_lost 0"), ("RCPT", "connection_lost 0"), ("DATA", "connection_lost 0"),
                       ("BODY", "connection_lost 1")]:
        check(f"it hangs up at {step}", send(Rude(step).url(), tls="none", timeout=5), [want])
    for step, want in [("greeting", "timed_out 0"), ("RCPT", "timed_out 0"), ("BODY", "timed_out 1")]:
        check(f"it falls silent at {step}", send(Rude(step, silent=True).url(), tls="none", timeout=1), [want])
    check("it is not there", send(f"smtp://127.0.0.1:{free_port()}", tls="none"), ["server_unreachable 0"])
    check("it has no name", send("smtp://no-such-host.invalid"), ["server_unreachable 0"])

    if failures:
        print(f"{len(failures)} failed: {', '.join(failures)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
