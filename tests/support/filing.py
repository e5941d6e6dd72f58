"""filing.py - a publisher that never gives up, and the proof that what it was told stands everywhere exactly once.

A report that is not answered is sent again, as docs/protocol.md says: after silence over a new connection, after BUSY and FULL
when the daemon asks for it.
"""

import collections
import threading
import time

import zmq

from instance import check, check_true, pb, report

SOUND_AT_MS = 1775000000000


class Publisher(threading.Thread):
    """Files reports with a window of them under way. Keeps what was acknowledged, and how it went meanwhile.

    `connect(timeout_ms)` gives a client of intake. With `count` it files so many and ends; without, until finish() is called.
    """

    def __init__(self, connect, count=None, prefix="k", window=64, pause=0.0005, silence_ms=300, patience=240, make=None):
        super().__init__(daemon=True)
        self.connect, self.count, self.prefix, self.window, self.pause = connect, count, prefix, window, pause
        self.silence_ms, self.patience = silence_ms, patience
        self.make = make or (lambda reference: report(reference, unit="lindhaga", when_ms=SOUND_AT_MS))
        self.acknowledged = {}     # reference: ReportAccepted
        self.refused = []          # neither done nor to be sent again
        self.told = collections.Counter()  # statuses of all replies
        self.sent_again = 0
        self.slowest = 0.0         # seconds from first sending to DONE
        self.finishing = False

    def finish(self, timeout=120):
        """No new ones; waits until all under way are answered."""
        self.finishing = True
        self.join(timeout)
        check("the publisher has an answer to everything", self.is_alive(), False)

    def more(self, number):
        return number < self.count if self.count is not None else not self.finishing

    def run(self):
        number, under_way, again = 0, {}, collections.deque()
        client = self.connect(self.silence_ms)
        deadline = time.monotonic() + self.patience
        while (self.more(number) or under_way) and time.monotonic() < deadline:
            while self.more(number) and len(under_way) < self.window:
                reference = f"{self.prefix}-{number}"
                command = self.make(reference)
                under_way[reference] = (command, time.monotonic())
                client.send(command)
                number += 1
                time.sleep(self.pause)
            while again and again[0][0] <= time.monotonic():
                client.send(under_way[again.popleft()[1]][0])
                self.sent_again += 1
            try:
                reply = client.receive()
            except zmq.Again:
                client.close()
                client = self.connect(self.silence_ms)
                again.clear()
                for command, _ in under_way.values():
                    client.send(command)
                    self.sent_again += 1
                continue
            self.take(reply, under_way, again)
        client.close()

    def take(self, reply, under_way, again):
        reference = reply.message_id
        if reference not in under_way:
            return
        self.told[reply.status] += 1
        if reply.status in (pb.REPLY_STATUS_BUSY, pb.REPLY_STATUS_FULL):
            again.append((time.monotonic() + max(reply.retry_after_ms, 50) / 1000, reference))
            return
        _, since = under_way.pop(reference)
        if reply.status == pb.REPLY_STATUS_DONE:
            self.acknowledged[reference] = reply.report_accepted
            self.slowest = max(self.slowest, time.monotonic() - since)
        else:
            self.refused.append((reference, reply.status, reply.text))


def once_everywhere(instance, acknowledged, verify=True):
    """Every report that was acknowledged, and no other, is in each daemon exactly once. `acknowledged`: {reference: ReportAccepted}
    of everything that was ever sent. The daemons are up and at rest."""
    count = len(acknowledged)
    by_reference = {}
    for reference, accepted in acknowledged.items():
        by_reference[reference] = accepted.report_id
    events, _ = instance.feed("intake")
    ids = collections.Counter(e.report_filed.report_id for e in events if e.WhichOneof("body") == "report_filed")
    check("intake holds each report once", (len(ids), max(ids.values())), (count, 1))
    check_true("and each under the id that was acknowledged", set(by_reference.values()) == set(ids))

    events, _ = instance.feed("workflow")
    opened = collections.Counter(e.case_id for e in events if e.WhichOneof("body") == "case_opened")
    check("workflow opened one case for each", (len(opened), max(opened.values())), (count, 1))
    deadlines = collections.Counter(
        (e.case_id, e.deadline_set.deadline.rule) for e in events if e.WhichOneof("body") == "deadline_set")
    check("and set each of its deadlines once", (len(deadlines), max(deadlines.values())), (2 * count, 1))

    events, _ = instance.feed("notification")
    decided = collections.Counter(
        (e.notice_decided.notice.cause_id, e.notice_decided.notice.rule, e.notice_decided.notice.person)
        for e in events if e.WhichOneof("body") == "notice_decided")
    check("notification decided each notice once", max(decided.values()), 1)
    cases = {e.case_id for e in events if e.WhichOneof("body") == "notice_decided"}
    check("for every case", len(cases), count)

    summary = instance.client("reporting", name="statistics")
    found = summary.call(pb.Command(get_summary=pb.GetSummary(unit="socialnamnden", span=pb.SPAN_YEAR)))
    summary.close()
    received = sum(f.value for f in found.summary_found.figures if f.key.measurement == pb.MEASUREMENT_RECEIVED)
    check("reporting counts each once", received, count)

    if verify:
        done = instance.run(["verify"], check=False, timeout=300)
        check_true("chains, seals, receipts, replay and compare hold", done.returncode == 0, done.stdout + done.stderr)
