#!/usr/bin/python3
"""smtp_daemon.py - the whole instance and a real mail server: down at first, then refusing, then well. Nothing is lost.

Stepped clock: the attempts are the due instants of notification, so a day of them takes seconds.
"""

import email
import email.policy
import logging
import os
import sys
import tempfile
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, HERE)
import instance  # noqa: E402
import smtp_servers as servers  # noqa: E402

pb = instance.pb


def settings_for(inst, url, cert, password_file):
    """The mail part of avvik.yaml, written anew."""
    kept, skip = [], False
    for line in open(inst.settings):
        if not line.startswith((" ", "\n", "#")):
            skip = line.startswith("mail:")
        if not skip:
            kept.append(line)
    with open(inst.settings, "w") as file:
        file.write("".join(kept))
        file.write(f"mail:\n  transport: smtp\n  server: {url}\n  ca_file: {cert}\n  user: {servers.USER}\n"
                   f"  password_file: {password_file}\n  from: avvik@lindaker.se\n  timeout_seconds: 2\n")


def states(inst):
    counts = {}
    for event in inst.feed("notification")[0]:
        name = event.WhichOneof("body")
        counts[name] = counts.get(name, 0) + 1
    return counts


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    folder = tempfile.mkdtemp(prefix="avvik-smtp-")
    cert, context = servers.certificate(folder, "server")
    password_file = os.path.join(folder, "password")
    with open(password_file, "w", encoding="utf-8") as file:
        file.write(servers.PASSWORD + "\n")
    os.chmod(password_file, 0o600)
    handler = servers.Kept()
    server = servers.Server(handler, context, auth=True)  # its port is chosen; it does not listen yet

    with instance.Instance(stepped="2026-04-07 09:00") as inst:
        settings_for(inst, server.url(), cert, password_file)
        inst.up()
        inst.publish()
        inst.settle()
        client = inst.client("intake")
        command = instance.report("r-1", unit="lindhaga")
        command.file_report.type = pb.REPORT_TYPE_LEX_SARAH
        command.file_report.reporter.name = "Kim Test"
        command.file_report.reporter.mail = "kim@example.org"
        reply = client.call(command)
        assert reply.status == pb.REPLY_STATUS_DONE, reply
        inst.settle()
        decided = states(inst)["notice_decided"]
        assert decided >= 5, states(inst)
        assert "notice_delivered" not in states(inst), "there is no server yet"
        print(f"ok    {decided} notices wait while the server is down")

        handler.refuse["RCPT"] = "450 4.2.1 later"
        server.start()
        inst.avvik("clock", "advance", "--to", "2026-04-07 09:05")
        inst.settle()
        assert "notice_delivered" not in states(inst), "the server says later"
        print("ok    they wait while it says later")

        handler.refuse.clear()
        inst.avvik("clock", "advance", "--to", "2026-04-07 12:00")
        inst.settle()
        counts = states(inst)
        assert counts["notice_delivered"] == decided and "notice_given_up" not in counts, counts
        assert len(handler.mails) == decided, (len(handler.mails), decided)
        mails = [email.message_from_bytes(m[2], policy=email.policy.default) for m in handler.mails]
        assert len({m["Message-ID"] for m in mails}) == decided
        assert all("2026-0001" in m["Subject"] or "2026-0001" in m.get_content() for m in mails)
        assert not any(event.notice_delivered.perhaps_twice for event in inst.feed("notification")[0])
        print("ok    all arrive once when it is well")
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
