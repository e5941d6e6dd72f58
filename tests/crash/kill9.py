"""kill -9 of each daemon in the middle of load: everything that was acknowledged is there once, and all daemons agree.

A publisher keeps a window of reports under way and sends again what was not answered, as docs/protocol.md says. Meanwhile each
daemon is killed in turn, at moments drawn from a seed; `avvik up` starts it again.

    kill9.py [reports [rounds [seed]]]
"""

import collections
import os
import random
import sys
import threading
import time

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import DAEMONS, Instance, check, check_true, pb, report  # noqa: E402

REPORTS = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
WINDOW = 64


class Publisher(threading.Thread):
    """Files reports; sends again after silence or a dead daemon. Keeps what was acknowledged."""

    def __init__(self, instance):
        super().__init__()
        self.instance = instance
        self.acknowledged = {}
        self.refused = []
        self.sent_again = 0
        self.end = False

    def run(self):
        todo = collections.deque(f"k-{number}" for number in range(REPORTS))
        under_way = {}
        client = self.instance.client("intake", timeout_ms=300)
        deadline = time.monotonic() + 240
        while (todo or under_way) and time.monotonic() < deadline:
            while todo and len(under_way) < WINDOW:
                reference = todo.popleft()
                command = report(reference, unit="lindhaga", when_ms=1775000000000)
                under_way[reference] = command
                client.send(command)
                time.sleep(0.0005)
            try:
                reply = client.receive()
            except zmq.Again:
                client.close()
                client = self.instance.client("intake", timeout_ms=300)
                for command in under_way.values():
                    client.send(command)
                    self.sent_again += 1
                continue
            if reply.message_id not in under_way:
                continue
            if reply.status == pb.REPLY_STATUS_BUSY:
                client.send(under_way[reply.message_id])
                continue
            del under_way[reply.message_id]
            if reply.status == pb.REPLY_STATUS_DONE:
                self.acknowledged[reply.message_id] = reply.report_accepted
            else:
                self.refused.append((reply.message_id, reply.status, reply.text))
        client.close()
        self.end = True


def main():
    rand = random.Random(SEED)
    with Instance() as instance:
        instance.up()
        instance.publish()
        publisher = Publisher(instance)
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

        events, _ = instance.feed("intake")
        filed = [event for event in events if event.WhichOneof("body") == "report_filed"]
        ids = collections.Counter(event.report_filed.report_id for event in filed)
        check("intake holds each report once", (len(ids), max(ids.values())), (REPORTS, 1))
        check_true("and each under the id that was acknowledged",
                   all(accepted.report_id in ids for accepted in publisher.acknowledged.values()))

        events, _ = instance.feed("workflow")
        opened = collections.Counter(e.case_id for e in events if e.WhichOneof("body") == "case_opened")
        check("workflow opened one case for each", (len(opened), max(opened.values())), (REPORTS, 1))
        deadlines = collections.Counter(
            (e.case_id, e.deadline_set.deadline.rule) for e in events if e.WhichOneof("body") == "deadline_set")
        check("and set each of its deadlines once", (len(deadlines), max(deadlines.values())), (2 * REPORTS, 1))

        events, _ = instance.feed("notification")
        decided = collections.Counter(
            (e.notice_decided.notice.cause_id, e.notice_decided.notice.rule, e.notice_decided.notice.person)
            for e in events if e.WhichOneof("body") == "notice_decided")
        check("notification decided each notice once", max(decided.values()), 1)
        cases = {e.case_id for e in events if e.WhichOneof("body") == "notice_decided"}
        check("for every case", len(cases), REPORTS)

        summary = instance.client("reporting", name="statistics")
        found = summary.call(pb.Command(get_summary=pb.GetSummary(unit="socialnamnden", span=pb.SPAN_YEAR)))
        received = sum(f.value for f in found.summary_found.figures if f.key.measurement == pb.MEASUREMENT_RECEIVED)
        check("reporting counts each once", received, REPORTS)

        done = instance.run(["verify"], check=False, timeout=300)
        check_true("chains, seals, receipts, replay and compare hold", done.returncode == 0, done.stdout + done.stderr)


main()
