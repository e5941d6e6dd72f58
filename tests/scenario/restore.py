"""A daemon that is restored from a backup: its consumers notice, and go on when an administrator decides."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import Instance, check, check_true, pb, report  # noqa: E402


def issues(instance):
    done = instance.run(["status", "--json"], check=False)
    import json
    return {(s["daemon"], i["code"]) for s in json.loads(done.stdout) for i in s.get("issues", [])}


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
        check("after a plain restart nobody complains", issues(instance), set())
        client = instance.client("intake")
        check("one more report is filed after the backup", client.call(report("after", unit="lindhaga")).status,
              pb.REPLY_STATUS_DONE)
        client.close()
        instance.settle_real()
        instance.down()

        instance.avvik("restore", backup, "--only", "intake")
        instance.up()
        end = time.monotonic() + 30
        while {d for d, code in issues(instance) if code == "feed_refused"} != {"workflow", "notification"}:
            check_true("the consumers that had seen more say so", time.monotonic() < end, issues(instance))
            time.sleep(0.1)
        print("ok  the consumers that had seen more say so")

        client = instance.client("intake")
        reply = client.call(report("after", unit="lindhaga"))
        check("the report that the backup does not hold can be filed again", (reply.status, reply.repeated),
              (pb.REPLY_STATUS_DONE, False))
        client.close()
        for daemon in ("workflow", "notification"):
            instance.avvik("quarantine", "feed", "intake", "--daemon", daemon, "--accept-head", "--reason",
                           "återställd från säkerhetskopia", check=True)
        end = time.monotonic() + 30
        while {d for d, code in issues(instance) if code == "feed_refused"}:
            check_true("and go on when an administrator decides", time.monotonic() < end, issues(instance))
            time.sleep(0.1)
        print("ok  and go on when an administrator decides")
        done = instance.run(["verify"], check=False)
        check_true("and everything holds", done.returncode == 0, done.stdout + done.stderr)


main()
