"""soak_clients.py - those who use the instance during a soak, each a process of its own: a publisher and two consumers.

    soak_clients.py publisher       SETTINGS-AS-JSON     reads "rate N" and "stop" from standard input
    soak_clients.py cases|notices   SETTINGS-AS-JSON     reads "stop"

Each prints one line of JSON a second of what it saw, and leaves the ids it was told of in files of 16-byte entries, so that at
the end sets can be compared.
"""

import hashlib
import json
import os
import select
import statistics
import sys
import time

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import Client, pb, report  # noqa: E402

UNIT = "lindhaga"
WINDOW = 1000
SILENCE = 2.0
LEX_SARAH_EACH = 10


def told_to():
    """A line from whom started us, if there is one; "stop" when it is gone."""
    if not select.select([0], [], [], 0)[0]:
        return None
    return sys.stdin.readline().strip() or "stop"


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0


def tell(**what):
    print(json.dumps(what), flush=True)


class Publisher:
    """Files so many reports a second, and each again until it is answered."""

    def __init__(self, settings):
        self.settings, self.rate, self.stopping = settings, 0, False
        self.number = self.done = self.again = self.busy = 0
        self.under_way = {}  # number: (first sent, frame)
        self.later = []      # numbers that were told to come again
        self.took = []
        self.ids = open(os.path.join(settings["folder"], "acknowledged.ids"), "wb")
        self.frames = {kind: report("REFERENCE0000000", unit=UNIT, kind=kind).SerializeToString()
                       for kind in (pb.REPORT_TYPE_DEVIATION, pb.REPORT_TYPE_LEX_SARAH)}
        self.client = None

    def frame(self, number):
        kind = pb.REPORT_TYPE_DEVIATION if number % LEX_SARAH_EACH else pb.REPORT_TYPE_LEX_SARAH
        return self.frames[kind].replace(b"REFERENCE0000000", b"soak%012d" % number)

    def connect(self):
        if self.client:
            self.client.close()
        self.client = Client(self.settings["intake"], self.settings["intake_key"].encode(),
                             [half.encode() for half in self.settings["publisher"]])
        for entry in self.under_way.values():
            self.client.socket.send_multipart([b"", entry[1]])
        self.again += len(self.under_way)
        self.later = []
        self.heard = time.monotonic()

    def send_new(self, now):
        self.next_at = max(self.next_at, now - 1)  # what could not be sent for longer is not caught up
        while not self.stopping and len(self.under_way) < WINDOW and (self.rate == 0 or self.next_at <= now):
            if self.rate < 0:
                return
            frame = self.frame(self.number)
            self.under_way[self.number] = (now, frame)
            self.client.socket.send_multipart([b"", frame])
            self.number += 1
            self.next_at += 1 / self.rate if self.rate else 0

    def receive(self, now):
        while self.client.socket.poll(0):
            reply = pb.Reply()
            reply.ParseFromString(self.client.socket.recv_multipart()[-1])
            self.heard = now
            number = int(reply.message_id[4:])
            if number not in self.under_way:
                continue
            if reply.status in (pb.REPLY_STATUS_BUSY, pb.REPLY_STATUS_FULL):
                self.busy += 1
                self.later.append((now + max(reply.retry_after_ms, 20) / 1000, number))
                continue
            if reply.status != pb.REPLY_STATUS_DONE:
                raise SystemExit(f"report {number} was refused: {reply}")
            since, _ = self.under_way.pop(number)
            self.took.append((now - since) * 1000)
            self.ids.write(reply.report_accepted.report_id)
            self.done += 1

    def run(self):
        self.next_at = tell_at = time.monotonic()
        self.connect()
        while not (self.stopping and not self.under_way):
            line = told_to()
            if line == "stop":
                self.stopping = True
            elif line:
                self.rate = float(line.split()[1])
                self.next_at = time.monotonic()
            now = time.monotonic()
            while self.later and self.later[0][0] <= now:
                _, number = self.later.pop(0)
                if number in self.under_way:
                    self.client.socket.send_multipart([b"", self.under_way[number][1]])
                    self.again += 1
            if self.under_way and now - self.heard > SILENCE:
                self.connect()
            if not self.under_way:
                self.heard = now
            self.send_new(now)
            self.client.socket.poll(2)
            self.receive(time.monotonic())
            if now >= tell_at:
                tell_at = now + 1
                self.tell()
        self.ids.close()
        self.tell(ended=True)

    def tell(self, **more):
        tell(filed=self.number, done=self.done, again=self.again, busy=self.busy, under_way=len(self.under_way),
             median_ms=round(statistics.median(self.took), 3) if self.took else None,
             p99_ms=round(percentile(self.took, 0.99), 3) if self.took else None, **more)
        self.took = []


class Feed:
    """One daemon's feed from the start, with a request always out; asked again after silence."""

    def __init__(self, settings, daemon):
        self.settings, self.daemon, self.cursor, self.client, self.at_head = settings, daemon, None, None, False
        self.connect()

    def connect(self):
        if self.client:
            self.client.close()
        self.client = Client(self.settings[f"{self.daemon}_feed"], self.settings[f"{self.daemon}_key"].encode(),
                             [half.encode() for half in self.settings["admin"]])
        self.ask()

    def ask(self):
        request = pb.FeedRequest(max_events=2000, max_bytes=1 << 20, wait_ms=1000)
        if self.cursor is not None:
            request.after.CopyFrom(self.cursor)
        self.client.send(request)
        self.asked = time.monotonic()

    def take(self):
        """The events of an answer to what was asked last."""
        reply = pb.FeedReply()
        reply.ParseFromString(self.client.socket.recv_multipart()[-1])
        if reply.WhichOneof("body") == "refusal":
            raise SystemExit(f"{self.daemon} refuses its feed: {reply.refusal.text}")
        if reply.batch.after_sequence != (self.cursor.sequence if self.cursor is not None else 0):
            return []
        self.cursor = reply.batch.reached
        self.at_head = self.cursor.sequence >= reply.batch.head
        self.ask()
        return [pb.Event.FromString(item.event) for item in reply.batch.items]


class Figures:
    """A copy of the figures of one unit, kept by snapshot and stream as docs/protocol.md tells it."""

    def __init__(self, settings):
        self.settings = settings
        self.figures, self.sequence, self.epoch, self.repaired, self.query = {}, None, None, -1, None
        pair = [half.encode() for half in settings["statistics"]]
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.curve_serverkey = settings["reporting_key"].encode()
        self.socket.curve_publickey, self.socket.curve_secretkey = pair
        self.socket.linger = 0
        self.socket.connect(settings["reporting_stream"])
        self.socket.subscribe(f"summary/{UNIT}/".encode())
        time.sleep(0.3)  # the subscription is on its way
        self.snapshot()

    def ask(self):
        """Every figure that is not zero, and from what sequence on updates are to be applied, which is that of the first page: they
        tell values, so one that a later page holds already does no harm. Again until reporting answers."""
        while True:
            client = Client(self.settings["reporting"], self.settings["reporting_key"].encode(),
                            [half.encode() for half in self.settings["statistics"]], timeout_ms=2000)
            try:
                found, after, first = {}, None, None
                while True:
                    query = pb.GetSummary(unit=UNIT, limit=200)
                    if after is not None:
                        query.after.CopyFrom(after)
                    summary = client.call(pb.Command(get_summary=query)).summary_found
                    first = first or summary
                    found.update({f.key.SerializeToString(deterministic=True): f.value for f in summary.figures if f.value})
                    if not summary.HasField("next_after"):
                        return found, first.sequence, first.epoch_id
                    after = summary.next_after
            except zmq.Again:
                continue
            finally:
                client.close()

    def snapshot(self):
        self.figures, self.sequence, self.epoch = self.ask()
        self.repaired += 1

    def take(self):
        update = pb.SummaryUpdate()
        update.ParseFromString(self.socket.recv_multipart()[1])
        if update.sequence <= self.sequence and update.epoch_id == self.epoch:
            return
        if update.previous_sequence != self.sequence or update.epoch_id != self.epoch:
            self.snapshot()
            return
        for change in update.changes:
            key = change.key.SerializeToString(deterministic=True)
            self.figures[key] = change.value
            if not change.value:
                del self.figures[key]
        self.sequence = update.sequence


class Consumer:
    """Reads feeds to their end and leaves the ids that they told of."""

    feeds, files = (), ()

    def __init__(self, settings):
        self.feeds = [Feed(settings, daemon) for daemon in self.feeds]
        self.files = {name: open(os.path.join(settings["folder"], f"{name}.ids"), "wb") for name in self.files}
        self.events = 0

    def look(self, wait_ms):
        poller = zmq.Poller()
        for socket in [feed.client.socket for feed in self.feeds] + self.more_sockets():
            poller.register(socket, zmq.POLLIN)
        ready = dict(poller.poll(wait_ms))
        for feed in self.feeds:
            if feed.client.socket in ready:
                for event in feed.take():
                    self.events += 1
                    self.see(event)
            elif time.monotonic() - feed.asked > 4:
                feed.connect()

    def more_sockets(self):
        return []

    def at_head(self):
        return all(feed.at_head for feed in self.feeds)

    def run(self):
        tell_at = time.monotonic()
        while told_to() != "stop":
            self.look(100)
            if time.monotonic() >= tell_at:
                tell_at = time.monotonic() + 1
                self.tell()
        patience = time.monotonic() + 600
        while not self.rested() and time.monotonic() < patience:
            self.look(200)
        for file in self.files.values():
            file.close()
        self.tell(ended=True, **self.result())

    def rested(self):
        return self.at_head()

    def result(self):
        return {}


class Cases(Consumer):
    """Feeds of intake and workflow, and the stream of figures."""

    feeds, files = ("intake", "workflow"), ("filed", "opened")

    def __init__(self, settings):
        super().__init__(settings)
        self.figures = Figures(settings)

    def see(self, event):
        body = event.WhichOneof("body")
        if body == "report_filed":
            self.files["filed"].write(event.report_filed.report_id)
        elif body == "case_opened":
            self.files["opened"].write(event.case_id)

    def more_sockets(self):
        return [self.figures.socket]

    def look(self, wait_ms):
        super().look(wait_ms)
        while self.figures.socket.poll(0):
            self.figures.take()

    def rested(self):
        if not self.at_head():
            return False
        self.there, sequence, epoch = self.figures.ask()  # as of the same event: due work may change figures even now
        return (self.figures.sequence, self.figures.epoch) == (sequence, epoch)

    def result(self):
        received = sum(value for key, value in self.there.items() if self.counts(key))
        here = self.figures.figures
        unequal = [f"{pb.FigureKey.FromString(key)}: {here.get(key)}, {self.there.get(key)}".replace("\n", " ")
                   for key in here.keys() | self.there.keys() if here.get(key) != self.there.get(key)]
        return {"unequal": unequal, "figures": len(self.there), "received": received}

    @staticmethod
    def counts(key):
        key = pb.FigureKey.FromString(key)
        return key.measurement == pb.MEASUREMENT_RECEIVED and key.span == pb.SPAN_YEAR

    def tell(self, **more):
        tell(events=self.events, repaired=self.figures.repaired, at_head=self.at_head(), **more)


class Notices(Consumer):
    """Feed of notification: when is the notice of a report seen? The report's id holds when it was made."""

    feeds, files = ("notification",), ("decided", "noticed")

    def __init__(self, settings):
        super().__init__(settings)
        self.late = []

    def see(self, event):
        if event.WhichOneof("body") != "notice_decided":
            return
        notice = event.notice_decided.notice
        self.files["noticed"].write(event.case_id)
        self.files["decided"].write(hashlib.blake2b(notice.cause_id + f"{notice.rule} {notice.person}".encode(), digest_size=16).digest())
        self.late.append(time.time() * 1000 - int.from_bytes(event.case_id[:6], "big"))

    def tell(self, **more):
        tell(events=self.events, at_head=self.at_head(), late_median_ms=round(statistics.median(self.late), 1) if self.late else None,
             late_p99_ms=round(percentile(self.late, 0.99), 1) if self.late else None, **more)
        self.late = []


if __name__ == "__main__":
    {"publisher": Publisher, "cases": Cases, "notices": Notices}[sys.argv[1]](json.loads(sys.argv[2])).run()
