"""A restore that is killed at any renaming leaves a whole store where the daemon looks for one: the old one or the restored.

Otherwise the next start, which the supervisor makes by itself, would find nothing there and make a new, empty store.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from inject import Injector  # noqa: E402
from instance import BIN, Instance, check, check_true, pb, report  # noqa: E402


def main():
    with Instance() as instance:
        instance.up()
        instance.publish(quiet_hours=False)
        client = instance.client("intake")
        check("a report is filed", client.call(report("before", unit="lindhaga")).status, pb.REPLY_STATUS_DONE)
        client.close()
        instance.settle_real()
        instance.down()
        backup = os.path.join(instance.root, "backup")
        instance.avvik("backup", backup)

        injector = Injector(instance)
        data = os.path.join(instance.state, "intake", "data", "data.mdb")
        command = [os.path.join(BIN, "avvik-intake"), "--settings", instance.settings, "--restore", os.path.join(backup, "intake")]
        kills = 0
        for when in ("before", "after"):
            for nth in range(1, 20):
                injector.arm(f"intake/*/rename/* nth={nth} when={when} do=kill")
                done = subprocess.run(command, env={**os.environ, **injector.environment}, capture_output=True, text=True, timeout=120)
                if done.returncode == 0:
                    break
                kills += 1
                check(f"killed {when} renaming {nth}: a store stands there", os.path.getsize(data) > 0 if os.path.exists(data) else False, True)
            injector.disarm()
        check_true("the restore was killed at its renamings", kills >= 2, f"{kills} kills; {done.stdout}{done.stderr}")
        instance.up()
        instance.wait_ready()
        events, _ = instance.feed("intake")
        check("and what was filed is there", sum(e.WhichOneof("body") == "report_filed" for e in events), 1)


main()
