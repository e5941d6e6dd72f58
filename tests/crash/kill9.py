"""kill -9 of each daemon in the middle of load: everything that was acknowledged is there once, and all daemons agree.

A publisher keeps a window of reports under way and sends again what was not answered, as docs/protocol.md says. Meanwhile each
daemon is killed in turn, at moments drawn from a seed; `avvik up` starts it again.

    kill9.py [reports [rounds [seed]]]
"""

import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from filing import Publisher, once_everywhere  # noqa: E402
from instance import DAEMONS, Instance, check  # noqa: E402

REPORTS = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1


def main():
    rand = random.Random(SEED)
    with Instance() as instance:
        instance.up()
        instance.publish(quiet_hours=False)
        publisher = Publisher(lambda silence_ms: instance.client("intake", timeout_ms=silence_ms), REPORTS)
        publisher.start()
        kills = 0
        for _ in range(ROUNDS):
            for daemon in DAEMONS:
                time.sleep(rand.uniform(0.15, 0.5))
                kills += instance.kill(daemon) is not None
        publisher.join()
        while instance.kill("intake") is None:
            time.sleep(0.05)
        instance.wait_ready()
        instance.settle_real(120)
        print(f"    {kills + 1} kills, {publisher.sent_again} commands sent again, seed {SEED}")

        check("no report was refused", publisher.refused, [])
        check("every report was acknowledged in the end", len(publisher.acknowledged), REPORTS)
        once_everywhere(instance, publisher.acknowledged)


main()
