"""A daemon that is restored from a backup: its consumers notice, and go on when an administrator decides."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import Instance, check, check_true, pb, report, wait_for  # noqa: E402


CONSUMERS = {"workflow", "notification", "reporting"}


def refused(instance):
    return {daemon for daemon, code in instance.issues() if code == "feed_refused_intake"}


def main():
    with Instance() as instance:
        instance.up()
        instance.publish()
        client = instance.client("intake")
        for number in range(5):
            check(f"report {number} is filed", client.call(report(f"before-{number}", unit="lindhaga")).status,
                  pb.REPLY_STATUS_DONE)
        client.close()
        instance.settle_real()
        instance.down()
        backup = os.path.join(instance.root, "backup")
        instance.avvik("backup", backup)
        print("ok  a backup is made of stopped daemons")

        instance.up()
        instance.settle_real()
        check("after a plain restart nobody complains", instance.issues(), set())
        client = instance.client("intake")
        check("one more report is filed after the backup", client.call(report("after", unit="lindhaga")).status,
              pb.REPLY_STATUS_DONE)
        client.close()
        instance.settle_real()
        instance.down()

        data = os.path.join(instance.state, "intake", "data")
        before = os.stat(data).st_ino
        other = os.path.join(instance.root, "other")
        os.makedirs(other)
        shutil.copytree(os.path.join(backup, "workflow"), os.path.join(other, "intake"))
        done = instance.run(["restore", other, "--only", "intake"], check=False)
        check_true("another daemon's backup is refused", done.returncode != 0, done.stdout + done.stderr)
        check("and nothing takes the place of the store", os.stat(data).st_ino, before)

        instance.avvik("restore", backup, "--only", "intake")
        instance.up()
        wait_for("the consumers that had seen more say so", lambda: refused(instance), CONSUMERS)

        client = instance.client("intake")
        reply = client.call(report("after", unit="lindhaga"))
        check("the report that the backup does not hold can be filed again", (reply.status, reply.repeated),
              (pb.REPLY_STATUS_DONE, False))
        client.close()
        for daemon in CONSUMERS:
            instance.avvik("quarantine", "feed", "intake", "--daemon", daemon, "--accept-head", "--reason",
                           "återställd från säkerhetskopia")
        wait_for("and go on when an administrator decides", lambda: refused(instance), set())
        done = instance.run(["verify"], check=False)
        check_true("and everything holds", done.returncode == 0, done.stdout + done.stderr)


main()
